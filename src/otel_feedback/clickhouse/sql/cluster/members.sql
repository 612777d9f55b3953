-- Question: of which shards and replicas is a cluster made, as this node is told?
-- Parameters: {cluster:String}.
-- Cost: reads the server's configuration.
SELECT shard_num AS Shard, shard_weight AS Weight, host_name AS Host, port AS Port, is_local AS IsLocal
FROM system.clusters
WHERE cluster = {cluster:String}
ORDER BY shard_num, replica_num
