"""ClickHouse, embedded or a server: connections, numbered migrations, named queries, and the decode of OTLP in SQL."""
