-- The answers of one export by their prompts: a temporary file of SQLite's that goes with its connection.
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
CREATE TABLE answer (prompt BLOB, is_positive INTEGER, number INTEGER PRIMARY KEY, content TEXT);
