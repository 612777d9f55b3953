-- Question: what does this text of a log record say, from a character on?
-- Parameters: {trace:String} {time:Int64} Unix nanoseconds, {number:UInt32} among those of that moment, from 1;
--   {field:String} {key:String} of the attribute; {start:UInt64} {characters:UInt32}.
-- Cost: reads log records of that moment.
SELECT
    substringUTF8(whole, {start:UInt64}, {characters:UInt32}) AS Text,
    lengthUTF8(whole) AS Length
FROM (
    SELECT if({field:String} = 'Body', l.Body, l.LogAttributes[{key:String}]) AS whole
    FROM otel_logs AS l
    WHERE l.TraceId = {trace:String}
        AND l.Timestamp >= fromUnixTimestamp64Nano({time:Int64})
        AND l.Timestamp <= fromUnixTimestamp64Nano({time:Int64})
    ORDER BY cityHash64(l.Body, toString(l.LogAttributes))
    LIMIT 1 OFFSET {number:UInt32} - 1
)
