-- What is known of earlier rows of one export: a temporary file of SQLite's that goes with its connection.
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
CREATE TABLE exact (digest BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE band (digest TEXT PRIMARY KEY, signature BLOB) WITHOUT ROWID;
