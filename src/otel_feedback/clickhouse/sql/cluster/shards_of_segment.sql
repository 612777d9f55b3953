-- Question: on which shards are rows of this segment in the table?
-- Parameters: {segment:String}.
-- Cost: one pass over a low-cardinality column of each shard.
SELECT DISTINCT _shard_num AS Shard FROM $table WHERE Segment = {segment:String}
