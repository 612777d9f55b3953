-- Question: what services, models and prompt versions can calls be filtered by?
-- Parameters: none.
-- Cost: one pass over three low-cardinality columns of the calls; at most 100 values each.
SELECT
    arraySort(arrayFilter(value -> value != '', groupUniqArray(100)(toString(ServiceName)))) AS Services,
    arraySort(arrayFilter(value -> value != '', groupUniqArray(100)(
        if(ResponseModel != '', toString(ResponseModel), toString(RequestModel))
    ))) AS Models,
    arraySort(arrayFilter(value -> value != '', groupUniqArray(100)(toString(PromptVersion)))) AS Versions
FROM llm_call_spans
