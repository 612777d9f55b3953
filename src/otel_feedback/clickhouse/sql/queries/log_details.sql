-- Question: what do the log records say that this trace has at this moment?
-- Parameters: {trace:String}; {time:Int64} Unix nanoseconds; {text_characters:UInt32} where texts are cut.
-- Cost: reads log records of that moment; at most five, of each at most 60 attributes.
WITH
    $told_attributes
SELECT
    l.SeverityText AS SeverityText,
    l.EventName AS EventName,
    l.SpanId AS SpanId,
    substringUTF8(l.Body, 1, {text_characters:UInt32}) AS Body,
    lengthUTF8(l.Body) AS BodyLength,
    told(l.LogAttributes, 60) AS LogAttributes,
    length(l.LogAttributes) AS LogAttributesCount
FROM otel_logs AS l
WHERE l.TraceId = {trace:String}
    AND l.Timestamp >= fromUnixTimestamp64Nano({time:Int64})
    AND l.Timestamp <= fromUnixTimestamp64Nano({time:Int64})
ORDER BY cityHash64(l.Body, toString(l.LogAttributes))
LIMIT 5
