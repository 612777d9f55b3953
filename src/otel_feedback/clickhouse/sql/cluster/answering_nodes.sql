-- Question: which nodes of a cluster answer, and where do they speak HTTP?
-- Parameters: {cluster:String}, {port_name:String}: http_port or https_port.
-- Cost: a query to each node; one that is away is left out.
SELECT
    _shard_num AS Shard,
    hostName() AS HostName,
    fqdn() AS FullHostName,
    tcpPort() AS TcpPort,
    getServerPort({port_name:String}) AS HttpPort
FROM clusterAllReplicas({cluster:String}, system.one)
SETTINGS skip_unavailable_shards = 1
