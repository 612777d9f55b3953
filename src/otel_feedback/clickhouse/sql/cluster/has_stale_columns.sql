-- Question: has the table over all shards other columns than the shard's?
-- Parameters: {shard_database:String} {table:String}.
-- Cost: the list of columns.
SELECT
    (
        SELECT groupArray((name, type, default_kind, default_expression))
        FROM (SELECT * FROM system.columns WHERE database = currentDatabase() AND table = {table:String} ORDER BY position)
    ) != (
        SELECT groupArray((name, type, default_kind, default_expression))
        FROM (SELECT * FROM system.columns WHERE database = {shard_database:String} AND table = {table:String} ORDER BY position)
    ) AS IsStale
