-- Question: how many INSERTs of this segment do the shards still work on? One that was refused on one shard may go on, on
-- another, for a moment.
-- Parameters: {cluster:String} {segment:String}.
-- Cost: a query to each node, for its list of processes.
SELECT count() AS Inserts
FROM clusterAllReplicas({cluster:String}, system.processes)
WHERE Settings['insert_deduplication_token'] = {segment:String}
