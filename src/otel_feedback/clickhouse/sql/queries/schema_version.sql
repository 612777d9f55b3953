-- Question: which is the newest migration that this database has? 0 for none.
-- Parameters: none.
-- Cost: reads some dozen rows.
SELECT max(Version) AS Version FROM schema_migrations
