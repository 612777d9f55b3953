-- As create_distributed.sql, when a migration has changed the columns: the table holds nothing itself.
CREATE OR REPLACE TABLE $table AS $shard.$table
ENGINE = Distributed($cluster, $shard_name, $table, $key)
