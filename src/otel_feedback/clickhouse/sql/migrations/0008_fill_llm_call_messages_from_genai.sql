-- The GenAI conventions' event gen_ai.client.inference.operation.details: all messages of a call in one record.
CREATE MATERIALIZED VIEW IF NOT EXISTS llm_call_messages_genai_mv TO llm_call_messages AS
SELECT
    TraceId,
    SpanId,
    LogAttributes['gen_ai.system_instructions'] AS SystemInstructions,
    LogAttributes['gen_ai.input.messages'] AS InputMessages,
    LogAttributes['gen_ai.output.messages'] AS OutputMessages,
    Timestamp,
    Segment
FROM otel_logs
WHERE EventName = 'gen_ai.client.inference.operation.details' AND TraceId != '' AND SpanId != ''
