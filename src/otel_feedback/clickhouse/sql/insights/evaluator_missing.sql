-- Question: of how many of {calls:Array(String)}, written as trace/span, has {rater:String} said nothing that SQL knows of yet?
-- Cost: one pass over all ratings.
SELECT count() AS Missing
FROM (SELECT arrayJoin({calls:Array(String)}) AS Call)
WHERE Call NOT IN (
    SELECT concat(TraceId, '/', SpanId)
    FROM feedback
    WHERE RaterId = {rater:String} AND Source = 'evaluator' AND Scope = 'span'
)
