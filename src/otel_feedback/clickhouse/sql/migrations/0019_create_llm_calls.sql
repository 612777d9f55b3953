-- One row per LLM call, whatever its dialect: see keyed_llm_calls.
CREATE VIEW IF NOT EXISTS llm_calls AS
SELECT * EXCEPT (TraceKey, SpanKey)
FROM keyed_llm_calls
