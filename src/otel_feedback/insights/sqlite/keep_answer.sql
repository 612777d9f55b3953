-- Keeps the answer to a question.
INSERT OR REPLACE INTO answer VALUES (?, ?, ?)
