-- Question: which ratings have the calls of {arms:Array(String)}, in the order in which they were given?
-- Cost: the narrow columns of the period's calls, one pass over all ratings.
WITH
    $arm_tags
SELECT
    $arm_of_call AS Arm,
    toUnixTimestamp64Nano(call.RatingTime) AS TimeUnixNano,
    toString(call.Name) AS Name,
    toString(call.Label) AS Label,
    call.Value AS Value,
    call.ScoreMin AS ScoreMin,
    call.ScoreMax AS ScoreMax,
    firstNonDefault(call.RaterId, call.UserId) AS Person,
    firstNonDefault(call.SessionId, call.TraceId) AS Conversation
FROM rated_llm_calls AS call
$arm_joins
    AND ({source:String} = '' OR call.Source = {source:String})
    AND ({name:String} = '' OR call.Name = {name:String})
    AND Arm IN {arms:Array(String)}
ORDER BY TimeUnixNano, call.FeedbackId
