-- Three users with no more rights than they need, on a ClickHouse server: `clickhouse-client --queries-file roles.sql`, as a
-- user who may create others. Another database than `otel`: replace `otel.` throughout. Change the passwords first.
-- On a cluster run it on every node, with `otel.` and `otel_shard.` (docs/cluster.md).

-- Makes and updates the tables, takes backups, erases people: `otel-feedback migrate` and `erase`, by hand or before a release.
-- Its materialized views write with its rights, so this user has to stay.
CREATE ROLE IF NOT EXISTS otel_migrator;
GRANT CREATE DATABASE, CREATE TABLE, CREATE VIEW, DROP TABLE, DROP VIEW, SHOW ON otel.* TO otel_migrator;
GRANT TABLE ENGINE ON MergeTree TO otel_migrator;
GRANT TABLE ENGINE ON ReplacingMergeTree TO otel_migrator;
GRANT TABLE ENGINE ON AggregatingMergeTree TO otel_migrator;
GRANT SELECT, INSERT, ALTER, BACKUP ON otel.* TO otel_migrator;
GRANT SELECT ON system.parts TO otel_migrator;
GRANT SELECT ON system.mutations TO otel_migrator;
GRANT SELECT ON system.tables TO otel_migrator;
GRANT SELECT ON system.columns TO otel_migrator;

-- Stores what comes and deletes what has expired: `otel-feedback serve`, and the Collector's exporter. It can make, change
-- or drop no table, and see no other database.
CREATE ROLE IF NOT EXISTS otel_writer;
GRANT SELECT ON otel.* TO otel_writer;
GRANT INSERT ON otel.otel_traces TO otel_writer;
GRANT INSERT ON otel.otel_logs TO otel_writer;
GRANT INSERT ON otel.service_settings TO otel_writer;
GRANT INSERT ON otel.deletions TO otel_writer;
GRANT INSERT ON otel.insight_findings TO otel_writer;
GRANT ALTER DELETE ON otel.otel_traces TO otel_writer;
GRANT ALTER DELETE ON otel.otel_logs TO otel_writer;
GRANT ALTER DELETE ON otel.otel_traces_trace_id_ts TO otel_writer;
GRANT ALTER DELETE ON otel.llm_call_spans TO otel_writer;
GRANT ALTER DELETE ON otel.llm_call_messages TO otel_writer;
GRANT ALTER DELETE ON otel.rating_deliveries TO otel_writer;
GRANT ALTER DELETE ON otel.deletions TO otel_writer;
GRANT SELECT ON system.parts TO otel_writer;
GRANT SELECT ON system.mutations TO otel_writer;
GRANT SELECT ON system.tables TO otel_writer;
GRANT SELECT ON system.columns TO otel_writer;

-- Asks: `otel-feedback sql` and `report`, Grafana, notebooks. A query of theirs can't take the server from the others.
CREATE ROLE IF NOT EXISTS otel_reader SETTINGS max_execution_time = 60, max_memory_usage = 4000000000;
GRANT SELECT ON otel.* TO otel_reader;
GRANT SELECT ON system.tables TO otel_reader;
GRANT SELECT ON system.columns TO otel_reader;

CREATE USER IF NOT EXISTS otel_migrator_user IDENTIFIED WITH sha256_password BY 'change-me-migrator' DEFAULT ROLE otel_migrator;
CREATE USER IF NOT EXISTS otel_writer_user IDENTIFIED WITH sha256_password BY 'change-me-writer' DEFAULT ROLE otel_writer;
CREATE USER IF NOT EXISTS otel_reader_user IDENTIFIED WITH sha256_password BY 'change-me-reader' DEFAULT ROLE otel_reader;
GRANT otel_migrator TO otel_migrator_user;
GRANT otel_writer TO otel_writer_user;
GRANT otel_reader TO otel_reader_user;
