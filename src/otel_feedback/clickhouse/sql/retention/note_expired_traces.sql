-- Note, by {run:String}, the traces in a partition, {partition:String}, of which the time has passed: not kept, and no span
-- of them, wherever it lies, is from {before:DateTime('UTC')} or later. What names a trace of which there is no span at all
-- goes by its own time.
-- Cost: where nothing has expired, one pass over the partition's trace ids; else over all traces' ids.
INSERT INTO deletions (Run, Kind, Id)
WITH
    of_partition AS (
        SELECT DISTINCT TraceId
        FROM $table
        WHERE _partition_id = {partition:String} AND $time < {before:DateTime('UTC')} AND TraceId != ''
            AND TraceId NOT IN (SELECT Id FROM deletions WHERE Run = {run:String} AND Kind = 'kept')
    ),
    known AS (
        SELECT TraceId, max(End) AS Newest
        FROM otel_traces_trace_id_ts
        WHERE TraceId IN (SELECT TraceId FROM of_partition)
        GROUP BY TraceId
    )
SELECT {run:String}, if(TraceId IN (SELECT TraceId FROM known), 'trace', 'trace_without_spans'), TraceId
FROM of_partition
WHERE TraceId NOT IN (SELECT TraceId FROM known WHERE Newest >= {before:DateTime('UTC')})
