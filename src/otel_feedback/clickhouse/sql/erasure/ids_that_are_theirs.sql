-- Question: which of {ids:Array(String)} are traces and sessions that {runs:Array(String)} have noted?
-- Cost: reads the deletions under way.
SELECT DISTINCT Id
FROM deletions
WHERE Run IN {runs:Array(String)} AND Kind IN ('trace', 'session') AND Id IN {ids:Array(String)}
