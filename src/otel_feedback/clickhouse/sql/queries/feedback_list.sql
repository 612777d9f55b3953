-- Question: which current ratings match the filters, newest first, from a cursor on?
-- Parameters: {name:String} {label:String} {model:String} {service:String} {user:String} {text:String} {state:String},
--   each '' for any; {since:Int64} {until:Int64} Unix nanoseconds; {before_time:Int64} {before_id:String} the last row
--   shown; {limit:UInt32}.
-- Cost: reads the ratings of the period; with a model or a user also the narrow columns of the calls. Texts are cut at
--   20,000 characters. Times are compared as numbers: a cluster's shards could not read 1970 as ClickHouse sends it to them.
SELECT
    $rating_columns
FROM feedback AS f
WHERE toUnixTimestamp64Nano(f.Time) >= {since:Int64}
    AND toUnixTimestamp64Nano(f.Time) < {until:Int64}
    AND toUnixTimestamp64Nano(f.Time) <= {before_time:Int64}
    AND (toUnixTimestamp64Nano(f.Time), f.FeedbackId) < ({before_time:Int64}, {before_id:String})
    AND ({name:String} = '' OR f.Name = {name:String})
    AND ({label:String} = '' OR f.Label = {label:String})
    AND ({service:String} = '' OR f.ServiceName = {service:String})
    AND ({state:String} = '' OR f.State = {state:String})
    AND ({text:String} = '' OR positionCaseInsensitiveUTF8(f.Comment, {text:String}) > 0)
    AND ({model:String} = '' OR f.FeedbackId IN (
        SELECT FeedbackId
        FROM rated_llm_calls
        WHERE {model:String} != '' AND (ResponseModel = {model:String} OR RequestModel = {model:String})
    ))
    AND ({user:String} = '' OR f.RaterId = {user:String}
        OR f.SessionId IN (
            SELECT SessionId FROM llm_calls WHERE {user:String} != '' AND UserId = {user:String} AND SessionId != ''
        )
        OR f.TraceId IN (SELECT TraceId FROM llm_calls WHERE {user:String} != '' AND UserId = {user:String}))
ORDER BY f.Time DESC, f.FeedbackId DESC
LIMIT {limit:UInt32}
