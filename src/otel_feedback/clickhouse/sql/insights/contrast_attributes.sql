-- Question: which short attributes that llm_calls has no column for do the spans of the calls in contrast_calls have?
-- Cost: the attributes of all spans of the drawn calls' parts, one pass over the ratings.
WITH
    $contrast_ratings,
    $drawn AS draw,
    calls AS (
        SELECT TraceId, SpanId
        FROM llm_calls
        WHERE Timestamp >= {since:DateTime('UTC')}
            AND Timestamp < {until:DateTime('UTC')}
            AND ({service:String} = '' OR ServiceName = {service:String})
            AND (draw < {unrated:UInt32} OR draw < {rated:UInt32} AND TraceId IN (SELECT TraceId FROM contrast_ratings))
    )
SELECT
    TraceId,
    SpanId,
    arrayMap(pair -> toValidUTF8(concat(pair.1, '=', pair.2)), arraySort(arrayFilter(
        pair -> pair.2 != '' AND length(pair.2) <= 64 AND NOT match(
            pair.1,
            '^(gen_ai\\.(usage|input|output|system|provider|operation|response|prompt|completion|conversation|tool|evaluation)\\b|'
            || 'gen_ai\\.agent\\.id|gen_ai\\.request\\.(model|temperature|max_tokens)|llm\\.|input\\.|output\\.|traceloop\\.|'
            || 'openinference\\.|session\\.|user\\.|enduser\\.|otel_feedback\\.|error\\.type|server\\.port)'
        ),
        CAST(SpanAttributes, 'Array(Tuple(String, String))')
    ))) AS Attributes
FROM otel_traces
WHERE Timestamp >= {since:DateTime('UTC')} - INTERVAL 1 SECOND
    AND Timestamp < {until:DateTime('UTC')} + INTERVAL 1 SECOND
    AND (TraceId, SpanId) IN (SELECT TraceId, SpanId FROM calls)
    AND notEmpty(Attributes)
LIMIT 1 BY TraceId, SpanId
