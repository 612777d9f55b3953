-- Question: how many traces do {runs:Array(String)} delete?
-- Cost: reads their ids.
SELECT uniqExact(Id) AS Traces
FROM deletions
WHERE Run IN {runs:Array(String)} AND Kind IN ('trace', 'trace_without_spans')
