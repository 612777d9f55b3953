-- Question: how many rows in these partitions, {partitions:Array(String)}, meet a condition? Its parameters come with it.
-- Cost: one pass over the condition's columns there.
SELECT _partition_id AS Partition, count() AS Rows
FROM $table
WHERE _partition_id IN {partitions:Array(String)} AND ($condition)
GROUP BY Partition
ORDER BY Partition
