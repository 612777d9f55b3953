-- The filters of the Feedback page over feedback AS f, each '' for any; 0 and the last Int64 for any time, which is not asked
-- for then: no filter at all leaves ClickHouse free to read the texts of the shown rows alone. What names a call (model,
-- version) is looked up there.
({since:Int64} = 0 OR toUnixTimestamp64Nano(f.Time) >= {since:Int64})
AND ({until:Int64} = 9223372036854775807 OR toUnixTimestamp64Nano(f.Time) < {until:Int64})
AND ({name:String} = '' OR f.Name = {name:String})
AND ({label:String} = '' OR f.Label = {label:String})
AND ({service:String} = '' OR f.ServiceName = {service:String})
AND ({state:String} = '' OR f.State = {state:String})
AND ({source:String} = '' OR f.Source = {source:String})
AND ({session:String} = '' OR f.SessionId = {session:String})
AND ({text:String} = '' OR positionCaseInsensitiveUTF8(f.Comment, {text:String}) > 0)
AND ({model:String} = '' AND {version:String} = '' OR f.FeedbackId IN (
    SELECT FeedbackId
    FROM rated_llm_calls
    WHERE ({model:String} != '' OR {version:String} != '')
        AND ({model:String} = '' OR ResponseModel = {model:String} OR RequestModel = {model:String})
        AND ({version:String} = '' OR PromptVersion = {version:String})
))
AND ({user:String} = '' OR f.RaterId = {user:String}
    OR f.SessionId IN (
        SELECT SessionId FROM llm_call_spans FINAL WHERE {user:String} != '' AND UserId = {user:String} AND SessionId != ''
    )
    OR f.TraceId IN (SELECT TraceId FROM llm_call_spans FINAL WHERE {user:String} != '' AND UserId = {user:String}))
