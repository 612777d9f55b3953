-- Question: which of the calls from {first:UInt32} on and before {last:UInt32} (Unix seconds), of {traces:Array(String)}, are of people
--   who agreed: whose span has the attribute {attribute:String} with {value:String}, or, where it tells nothing, its resource?
-- Cost: the attributes of these minutes' spans.
SELECT
    TraceId,
    SpanId
FROM otel_traces
WHERE Timestamp >= fromUnixTimestamp({first:UInt32})
    AND Timestamp < fromUnixTimestamp({last:UInt32})
    AND TraceId IN {traces:Array(String)}
    AND if(
        mapContains(SpanAttributes, {attribute:String}),
        SpanAttributes[{attribute:String}],
        ResourceAttributes[{attribute:String}]
    ) = {value:String}
