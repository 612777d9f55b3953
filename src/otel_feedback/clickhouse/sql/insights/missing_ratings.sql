-- Question: which of {ratings:Array(String)} are no current ratings any more?
-- Cost: one pass over all ratings.
SELECT arrayJoin({ratings:Array(String)}) AS FeedbackId
WHERE FeedbackId NOT IN (SELECT FeedbackId FROM feedback)
