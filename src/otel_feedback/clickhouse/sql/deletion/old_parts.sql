-- Question: which parts of {tables:Array(String)} that hold rows were replaced or dropped, and are on the disk still?
-- Cost: the list of parts.
SELECT table AS Table, name AS Part
FROM system.parts
WHERE NOT active AND rows > 0 AND database = currentDatabase() AND table IN {tables:Array(String)}
