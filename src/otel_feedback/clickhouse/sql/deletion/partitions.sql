-- Question: which partitions has {table:String}, and which may hold rows from before {before:DateTime('UTC')}? A partition
-- that is named after no day may.
-- Cost: the list of parts.
SELECT
    partition_id AS Partition,
    any(ifNull(toDateOrNull(partition) <= toDate({before:DateTime('UTC')}) + 1, true)) AS IsOld
FROM system.parts
WHERE active AND rows > 0 AND database = currentDatabase() AND table = {table:String}
GROUP BY Partition
ORDER BY Partition
