-- Spans that stay, and hold the event of a noted rating.
NOT startsWith(SpanName, 'user_feedback ') AND SpanName != 'gen_ai.evaluation.result'
AND TraceId NOT IN $noted_traces
AND arrayExists($is_noted_rating, `Events.Name`, `Events.Attributes`)
