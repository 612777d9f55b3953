-- Every log record as it arrived; see otel_traces. What the exporter materializes of the resource is computed when it is
-- asked for.
CREATE TABLE IF NOT EXISTS otel_logs (
    Timestamp DateTime64(9) CODEC(Delta(8), ZSTD(1)),
    TraceId String CODEC(ZSTD(1)),
    SpanId String CODEC(ZSTD(1)),
    TraceFlags UInt8,
    SeverityText LowCardinality(String) CODEC(ZSTD(1)),
    SeverityNumber UInt8,
    ServiceName LowCardinality(String) CODEC(ZSTD(1)),
    Body String CODEC(ZSTD(1)),
    ResourceSchemaUrl LowCardinality(String) CODEC(ZSTD(1)),
    ResourceAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    ScopeSchemaUrl LowCardinality(String) CODEC(ZSTD(1)),
    ScopeName String CODEC(ZSTD(1)),
    ScopeVersion LowCardinality(String) CODEC(ZSTD(1)),
    ScopeAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    LogAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    EventName String CODEC(ZSTD(1)),
    `__otel_materialized_k8s.cluster.name` LowCardinality(String) ALIAS ResourceAttributes['k8s.cluster.name'],
    `__otel_materialized_k8s.container.name` LowCardinality(String) ALIAS ResourceAttributes['k8s.container.name'],
    `__otel_materialized_k8s.deployment.name` LowCardinality(String) ALIAS ResourceAttributes['k8s.deployment.name'],
    `__otel_materialized_k8s.namespace.name` LowCardinality(String) ALIAS ResourceAttributes['k8s.namespace.name'],
    `__otel_materialized_k8s.node.name` LowCardinality(String) ALIAS ResourceAttributes['k8s.node.name'],
    `__otel_materialized_k8s.pod.name` LowCardinality(String) ALIAS ResourceAttributes['k8s.pod.name'],
    `__otel_materialized_k8s.pod.uid` LowCardinality(String) ALIAS ResourceAttributes['k8s.pod.uid'],
    `__otel_materialized_deployment.environment.name` LowCardinality(String) ALIAS ResourceAttributes['deployment.environment.name'],
    Segment LowCardinality(String) DEFAULT '' CODEC(ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toDate(Timestamp)
ORDER BY (toStartOfFiveMinutes(Timestamp), ServiceName, Timestamp)
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1,
    min_bytes_for_wide_part = 104857600, min_free_disk_bytes_to_perform_insert = 16777216
