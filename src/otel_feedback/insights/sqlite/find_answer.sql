-- The answer to a question.
SELECT value FROM answer WHERE question = ?
