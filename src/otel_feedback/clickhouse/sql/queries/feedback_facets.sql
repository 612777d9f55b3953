-- Question: what names, labels, models, services, prompt versions and sources can ratings be filtered by?
-- Parameters: none.
-- Cost: one pass over the ratings' low-cardinality columns, and one over their calls'; at most 100 values each.
WITH (
    SELECT (
        groupUniqArray(100)(if(ResponseModel != '', ResponseModel, RequestModel)),
        groupUniqArray(100)(PromptVersion)
    )
    FROM rated_llm_calls
) AS of_calls
SELECT
    arraySort(groupUniqArray(100)(f.Name)) AS Names,
    arraySort(arrayFilter(value -> value != '', groupUniqArray(100)(f.Label))) AS Labels,
    arraySort(arrayFilter(value -> value != '', groupUniqArray(100)(f.ServiceName))) AS Services,
    arraySort(arrayFilter(value -> value != '', groupUniqArray(100)(f.Source))) AS Sources,
    arraySort(arrayFilter(value -> value != '', of_calls.1)) AS Models,
    arraySort(arrayFilter(value -> value != '', of_calls.2)) AS Versions
FROM feedback AS f
