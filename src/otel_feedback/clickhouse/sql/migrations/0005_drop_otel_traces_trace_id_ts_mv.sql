-- The exporter's own view fills two columns; ours, of the same name, fills all.
DROP VIEW IF EXISTS otel_traces_trace_id_ts_mv
