-- Question: which submissions of ratings have arrived for this trace, in the order of the clicks?
-- Parameters: {trace:String}.
-- Cost: reads the journal of ratings.
SELECT Action
FROM feedback_events
WHERE TraceId = {trace:String}
ORDER BY Time, EventId
