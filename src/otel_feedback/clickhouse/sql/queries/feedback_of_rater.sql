-- Which current ratings has this rater given this one target?
-- Parameters: scope (span, trace or session), trace_id, span_id, session_id, response_id ('' where not known), rater_id.
-- Cost: reads the feedback journal of one target; a few rows.
SELECT
    EventId,
    toUnixTimestamp64Nano(Time) AS TimeUnixNano,
    Name,
    Value,
    Label,
    Comment,
    Correction,
    Reasons,
    ScoreMin,
    ScoreMax,
    Source,
    RaterId
FROM feedback
WHERE RaterId = {rater_id:String}
  AND Scope = {scope:String}
  AND multiIf(
        {scope:String} = 'session', SessionId = {session_id:String},
        {scope:String} = 'trace', TraceId = {trace_id:String},
        {trace_id:String} != '' AND {span_id:String} != '', TraceId = {trace_id:String} AND SpanId = {span_id:String},
        ResponseId = {response_id:String})
ORDER BY Name
