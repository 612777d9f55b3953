-- Store the rows of a run, {rows:Array(String)}: a JSON object each.
INSERT INTO insight_findings (
    Run, Kind, Position, Dimension, Value, Detail, SessionIds, TraceIds, QueryHash, DataHash
)
SELECT
    JSONExtractString(row, 'Run'),
    JSONExtractString(row, 'Kind'),
    JSONExtractUInt(row, 'Position'),
    JSONExtractString(row, 'Dimension'),
    JSONExtractString(row, 'Value'),
    JSONExtractRaw(row, 'Detail'),
    JSONExtract(row, 'SessionIds', 'Array(String)'),
    JSONExtract(row, 'TraceIds', 'Array(String)'),
    JSONExtractString(row, 'QueryHash'),
    JSONExtractString(row, 'DataHash')
FROM (SELECT arrayJoin({rows:Array(String)}) AS row)
