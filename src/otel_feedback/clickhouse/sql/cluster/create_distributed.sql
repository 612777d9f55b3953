-- One name for what every shard has under it: what is read comes from all of them, what is written goes where the key says.
CREATE TABLE IF NOT EXISTS $table AS $shard.$table
ENGINE = Distributed($cluster, $shard_name, $table, $key)
