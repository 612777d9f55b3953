-- Only what is of shards that have nothing of this segment yet: the end of ingest/insert_traces.sql.
WHERE NOT has($stored_slots, cityHash64(hex_id(span.trace_id)) % $slots)
