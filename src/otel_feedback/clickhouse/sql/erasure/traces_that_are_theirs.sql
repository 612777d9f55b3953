-- Question: which of {traces:Array(String)} have {runs:Array(String)} noted?
-- Cost: reads the deletions under way.
SELECT DISTINCT Id AS TraceId
FROM deletions
WHERE Run IN {runs:Array(String)} AND Kind = 'trace' AND Id IN {traces:Array(String)}
