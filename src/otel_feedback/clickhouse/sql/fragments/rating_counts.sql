uniqExact(TraceId, SpanId) AS RatedCalls,
count() AS Ratings,
countIf(Label = 'positive') AS Positive,
countIf(Label = 'negative') AS Negative
