-- Question: what does this rating say?
-- Parameters: {id:String} its FeedbackId.
-- Cost: reads the ratings' keys, and the texts of one.
SELECT
    f.ResponseId AS ResponseId,
    $rating_columns
FROM feedback AS f
WHERE f.FeedbackId = {id:String}
LIMIT 1
