-- Question: which model gave these answers, to which prompts? For a rated trace its final call is the answer.
-- Parameters: {trace_ids:Array(String)} {span_ids:Array(String)}: the rated spans of one page;
--   {whole_trace_ids:Array(String)}: the traces among them that were rated as a whole.
-- Cost: reads the calls of at most one page of traces; texts are cut to what a list shows.
WITH final_calls AS (
    SELECT TraceId, argMax(SpanId, (Timestamp, SpanId)) AS SpanId
    FROM llm_call_spans
    WHERE TraceId IN {whole_trace_ids:Array(String)}
    GROUP BY TraceId
)
SELECT
    c.TraceId AS TraceId,
    c.SpanId AS SpanId,
    (c.TraceId, c.SpanId) IN (SELECT TraceId, SpanId FROM final_calls) AS IsFinal,
    if(c.ResponseModel != '', c.ResponseModel, c.RequestModel) AS Model,
    if(c.StatusCode = 'Error', if(c.ErrorType != '', c.ErrorType, 'error'), '') AS ErrorType,
    substringUTF8(c.Prompt, 1, 400) AS Prompt,
    lengthUTF8(c.Prompt) AS PromptLength,
    substringUTF8(c.Completion, 1, 400) AS Completion,
    lengthUTF8(c.Completion) AS CompletionLength
FROM llm_calls AS c
WHERE c.TraceId IN {trace_ids:Array(String)} AND (c.SpanId IN {span_ids:Array(String)} OR IsFinal)
