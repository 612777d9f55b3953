-- Answers of language models by a hash of the whole question, each with the day (since 1970) that it came.
PRAGMA busy_timeout = 30000;
CREATE TABLE IF NOT EXISTS answer (question BLOB PRIMARY KEY, day INTEGER, value TEXT);
