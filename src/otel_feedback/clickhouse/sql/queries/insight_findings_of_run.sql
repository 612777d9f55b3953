-- Question: what did this run find, strongest first?
-- Parameters: {run:String}; {limit:UInt32} findings at most.
-- Cost: reads the rows of one run.
SELECT
    Position,
    Dimension,
    Value,
    Detail
FROM insight_findings
WHERE Run = {run:String} AND Position > 0
ORDER BY Position
LIMIT {limit:UInt32}
