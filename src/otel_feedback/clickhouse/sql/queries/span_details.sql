-- Question: what is on this span?
-- Parameters: {trace:String} {span:String}; {text_characters:UInt32} where each attribute's value is cut.
-- Cost: reads the widest columns, of the trace's own time. Of spans that share an id there are two, of each at most 120
--   attributes, 40 of its resource, 8 events and 8 links with some of their attributes; the counts tell of more.
WITH
    $bounds_of_trace,
    $told_attributes
SELECT
    t.ParentSpanId AS ParentSpanId,
    substringUTF8(t.SpanName, 1, 400) AS SpanName,
    t.SpanKind AS SpanKind,
    t.ServiceName AS ServiceName,
    substringUTF8(t.ScopeName, 1, 200) AS ScopeName,
    substringUTF8(t.ScopeVersion, 1, 200) AS ScopeVersion,
    toUnixTimestamp64Nano(t.Timestamp) AS StartUnixNano,
    t.Duration AS Duration,
    t.StatusCode AS StatusCode,
    substringUTF8(t.StatusMessage, 1, {text_characters:UInt32}) AS StatusMessage,
    lengthUTF8(t.StatusMessage) AS StatusMessageLength,
    told(t.SpanAttributes, 120) AS SpanAttributes,
    length(t.SpanAttributes) AS SpanAttributesCount,
    told(t.ResourceAttributes, 40) AS ResourceAttributes,
    length(t.ResourceAttributes) AS ResourceAttributesCount,
    arrayMap(
        (moment, name, attributes) -> (
            toUnixTimestamp64Nano(moment), substringUTF8(toString(name), 1, 200), told(attributes, 10), length(attributes)
        ),
        arraySlice(t.Events.Timestamp, 1, 8),
        arraySlice(t.Events.Name, 1, 8),
        arraySlice(t.Events.Attributes, 1, 8)
    )::Array(Tuple(
        TimeUnixNano Int64, Name String, Attributes Array(Tuple(Key String, Text String, Length UInt64)), Count UInt64
    )) AS Events,
    length(t.Events.Name) AS EventsCount,
    arrayMap(
        (trace, span, attributes) -> (trace, span, told(attributes, 3), length(attributes)),
        arraySlice(t.Links.TraceId, 1, 8),
        arraySlice(t.Links.SpanId, 1, 8),
        arraySlice(t.Links.Attributes, 1, 8)
    )::Array(Tuple(
        TraceId String, SpanId String, Attributes Array(Tuple(Key String, Text String, Length UInt64)), Count UInt64
    )) AS Links,
    length(t.Links.TraceId) AS LinksCount
FROM otel_traces AS t
WHERE
    $span_in_its_time
ORDER BY t.Timestamp
LIMIT 2
