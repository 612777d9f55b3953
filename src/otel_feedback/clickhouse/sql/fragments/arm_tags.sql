arm_tags AS (
    SELECT
        TraceId,
        SpanId,
        min(Timestamp) AS TagTime,
        any(firstNonDefault(SpanAttributes[{attribute:String}], ResourceAttributes[{attribute:String}])) AS Tag
    FROM otel_traces
    WHERE {attribute:String} != ''
        AND Timestamp >= {since:DateTime('UTC')} - INTERVAL 1 DAY
        AND Timestamp < {until:DateTime('UTC')} + INTERVAL 1 DAY
        AND (SpanAttributes[{attribute:String}] != '' OR ResourceAttributes[{attribute:String}] != '')
    GROUP BY TraceId, SpanId
),
arm_tags_of_traces AS (
    SELECT TraceId, argMin(Tag, (TagTime, SpanId)) AS Tag
    FROM arm_tags
    GROUP BY TraceId
)
