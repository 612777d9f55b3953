-- Question: what names, labels, models and services can ratings be filtered by?
-- Parameters: none.
-- Cost: one pass over the ratings' low-cardinality columns; at most 100 values each.
SELECT
    arraySort(groupUniqArray(100)(f.Name)) AS Names,
    arraySort(arrayFilter(value -> value != '', groupUniqArray(100)(f.Label))) AS Labels,
    arraySort(arrayFilter(value -> value != '', groupUniqArray(100)(f.ServiceName))) AS Services,
    (
        SELECT arraySort(arrayFilter(value -> value != '', groupUniqArray(100)(
            if(ResponseModel != '', ResponseModel, RequestModel)
        )))
        FROM rated_llm_calls
    ) AS Models
FROM feedback AS f
