-- Question: which parts has a partition, {partition:String}, of {table:String}, each with how many rows?
-- Cost: the list of parts.
SELECT name AS Part, rows AS Rows
FROM system.parts
WHERE active AND database = currentDatabase() AND table = {table:String} AND partition_id = {partition:String}
