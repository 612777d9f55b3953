-- Question: at which migration is each node of a cluster? Nodes that are away or have no such table are left out.
-- Parameters: {cluster:String} {database:Identifier}.
-- Cost: a query to each node, for some dozen rows.
SELECT
    _shard_num AS Shard,
    hostName() AS HostName,
    fqdn() AS FullHostName,
    tcpPort() AS TcpPort,
    max(Version) AS Version
FROM clusterAllReplicas({cluster:String}, {database:Identifier}, schema_migrations)
GROUP BY ALL
SETTINGS skip_unavailable_shards = 1
