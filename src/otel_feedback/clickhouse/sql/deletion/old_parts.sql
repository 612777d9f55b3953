-- Question: which parts of {tables:Array(String)} were replaced or dropped, and are on the disk still?
-- Cost: the list of parts.
SELECT concat(table, '/', name) AS Part
FROM system.parts
WHERE NOT active AND database = currentDatabase() AND table IN {tables:Array(String)}
