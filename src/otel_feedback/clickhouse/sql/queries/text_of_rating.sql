-- Question: what does this text of a rating say, from a character on?
-- Parameters: {id:String} FeedbackId; {field:String}; {start:UInt64} {characters:UInt32}.
-- Cost: reads the ratings' keys, and the texts of one.
SELECT
    if({field:String} = 'Comment', f.Comment, f.Correction) AS whole,
    substringUTF8(whole, {start:UInt64}, {characters:UInt32}) AS Text,
    lengthUTF8(whole) AS Length
FROM feedback AS f
WHERE f.FeedbackId = {id:String}
LIMIT 1
