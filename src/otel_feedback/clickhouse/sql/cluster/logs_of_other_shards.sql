-- As traces_of_other_shards.sql, by the key of otel_logs: the end of ingest/insert_logs.sql.
WHERE NOT has($stored_slots, cityHash64(if(
    length(record.trace_id) = 16,
    hex_id(record.trace_id),
    toString(toUnixTimestamp64Nano(moment(multiIf(
        record.time_unix_nano != 0, record.time_unix_nano,
        record.observed_time_unix_nano != 0, record.observed_time_unix_nano,
        arrival_unix_nano
    ))))
)) % $slots)
