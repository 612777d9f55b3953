-- Spans of the noted traces, and the carriers of noted people's ratings and of ratings of what is noted.
TraceId IN $noted_traces
OR TraceId = '' AND arrayExists(key -> SpanAttributes[key] IN $noted_users, $user_keys)
OR (startsWith(SpanName, 'user_feedback ') OR SpanName = 'gen_ai.evaluation.result') AND (
    arrayExists(key -> SpanAttributes[key] IN $noted_users, $user_keys)
    OR arrayExists(id -> id IN $noted_traces, `Links.TraceId`)
    OR arrayExists($is_noted_rating, `Events.Name`, `Events.Attributes`)
    OR SpanAttributes['gen_ai.response.id'] IN $noted_responses
    OR arrayExists(key -> SpanAttributes[key] IN $noted_sessions, $session_keys)
)
