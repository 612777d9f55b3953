-- Once all answers are there.
CREATE INDEX by_prompt ON answer (prompt)
