-- In a shard's database, a view that needs all shards is the cluster's: what a shard joins with it counts once for all.
CREATE VIEW IF NOT EXISTS $view AS SELECT * FROM $main.$view
