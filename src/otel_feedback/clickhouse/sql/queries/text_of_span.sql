-- Question: what does this text of a span say, from a character on?
-- Parameters: {trace:String} {span:String}; {field:String}; {key:String} of the attribute; {number:UInt32} of the event or
--   link, from 1; {start:UInt64} {characters:UInt32}.
-- Cost: reads the spans of the trace's own time.
WITH
    $bounds_of_trace
SELECT
    substringUTF8(whole, {start:UInt64}, {characters:UInt32}) AS Text,
    lengthUTF8(whole) AS Length
FROM (
    SELECT multiIf(
        {field:String} = 'SpanName', toString(t.SpanName),
        {field:String} = 'StatusMessage', t.StatusMessage,
        {field:String} = 'SpanAttributes', t.SpanAttributes[{key:String}],
        {field:String} = 'ResourceAttributes', t.ResourceAttributes[{key:String}],
        {field:String} = 'Events', t.Events.Attributes[{number:UInt32}][{key:String}],
        {field:String} = 'Links', t.Links.Attributes[{number:UInt32}][{key:String}],
        ''
    ) AS whole
    FROM otel_traces AS t
    WHERE
        $span_in_its_time
    ORDER BY t.Timestamp
    LIMIT 1
)
