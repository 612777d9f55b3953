-- Question: are this node's tables replicated; before there are any: can they be? For that it needs Keeper or ZooKeeper, and
-- the macros that tables' paths are made of.
-- Parameters: {shard_database:String}.
-- Cost: reads the server's configuration and its list of tables.
WITH
    (
        SELECT groupArray(engine)
        FROM system.tables
        WHERE database = {shard_database:String} AND name = 'otel_traces'
    ) AS engines,
    (SELECT count() FROM system.tables WHERE database = 'system' AND name = 'zookeeper') AS has_table_of_keeper,
    (SELECT count() FROM system.server_settings WHERE name = 'keeper_hosts' AND value != '') AS has_keeper,
    (SELECT uniqExact(macro) FROM system.macros WHERE macro IN ('shard', 'replica')) AS macros
SELECT
    if(
        notEmpty(engines),
        startsWith(engines[1], 'Replicated'),
        (has_table_of_keeper > 0 OR has_keeper > 0) AND macros = 2
    ) AS IsReplicated
