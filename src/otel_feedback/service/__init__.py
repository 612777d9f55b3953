"""OTLP in, validated, appended and fsynced, then acknowledged; written to ClickHouse exactly once.

receiver_grpc, receiver_http -> intake -> durable_queue -> writer.
"""
