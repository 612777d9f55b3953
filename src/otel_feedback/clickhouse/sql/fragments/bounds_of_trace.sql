-- The first and the last moment of {trace:String}, so that only their parts of otel_traces and otel_logs are read.
(SELECT min(Start) FROM otel_traces_trace_id_ts WHERE TraceId = {trace:String}) AS first_moment,
(SELECT max(End) FROM otel_traces_trace_id_ts WHERE TraceId = {trace:String}) AS last_moment
