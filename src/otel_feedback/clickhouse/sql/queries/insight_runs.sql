-- Question: what was found by contrasts and experiments, and drafted, newest first?
-- Parameters: {limit:UInt32} runs at most.
-- Cost: reads the first row of each run.
SELECT
    Run,
    Kind,
    toUnixTimestamp(Time) AS TimeUnixSeconds,
    Dimension,
    Value,
    substring(Detail, 1, 200000) AS Detail
FROM insight_findings
WHERE Position = 0
ORDER BY Time DESC, Run
LIMIT {limit:UInt32}
