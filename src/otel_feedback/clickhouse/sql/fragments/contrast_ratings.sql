contrast_ratings AS (
    SELECT
        TraceId,
        SpanId,
        count() AS Ratings,
        countIf(Label = 'positive') AS Positive,
        countIf(Label = 'negative') AS Negative,
        max(RaterId) AS RaterId,
        arrayStringConcat(arraySort(groupUniqArrayIf(Comment, Comment != '')), '\n') AS Comment
    FROM rated_llm_calls
    WHERE Timestamp >= {since:DateTime('UTC')}
        AND Timestamp < {until:DateTime('UTC')}
        AND ({source:String} = '' OR Source = {source:String})
        AND ({service:String} = '' OR ServiceName = {service:String})
        AND ({name:String} = '' OR Name = {name:String})
    GROUP BY TraceId, SpanId
)
