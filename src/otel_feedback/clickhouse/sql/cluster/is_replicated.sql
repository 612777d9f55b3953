-- Question: are this node's tables replicated; before there are any: can they be? For that it needs Keeper or ZooKeeper, and
-- the macros that tables' paths are made of.
-- Parameters: {shard_database:String}.
-- Cost: reads the server's configuration and its list of tables.
SELECT
    if(
        countIf(database = {shard_database:String} AND name = 'otel_traces') > 0,
        countIf(database = {shard_database:String} AND name = 'otel_traces' AND engine LIKE 'Replicated%') > 0,
        countIf(database = 'system' AND name = 'zookeeper') > 0
            AND (SELECT uniqExact(macro) FROM system.macros WHERE macro IN ('shard', 'replica')) = 2
    ) AS IsReplicated
FROM system.tables
WHERE (database = {shard_database:String} AND name = 'otel_traces') OR (database = 'system' AND name = 'zookeeper')
