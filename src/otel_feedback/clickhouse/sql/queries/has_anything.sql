-- Question: has anything arrived yet?
-- Parameters: none.
-- Cost: reads the first block of either table.
SELECT
    EXISTS(SELECT 1 FROM llm_call_spans) OR EXISTS(SELECT 1 FROM rating_deliveries) AS HasAny
