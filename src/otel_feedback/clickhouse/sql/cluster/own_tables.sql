-- Question: which tables of this database hold rows of their own under a name that is to mean all shards?
-- Parameters: {names:Array(String)}.
-- Cost: the list of tables.
SELECT name AS Name
FROM system.tables
WHERE database = currentDatabase() AND engine LIKE '%MergeTree' AND has({names:Array(String)}, name)
ORDER BY name
