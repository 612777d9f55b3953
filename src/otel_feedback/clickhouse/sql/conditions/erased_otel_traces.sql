-- Spans of the noted traces, and the carriers of noted people's ratings and of ratings of what is noted.
TraceId IN $noted_traces
OR TraceId = '' AND arrayExists(key -> SpanAttributes[key] IN $noted_users, $user_keys)
OR startsWith(SpanName, 'user_feedback ') AND (
    arrayExists(key -> SpanAttributes[key] IN $noted_users, $user_keys)
    OR arrayExists(id -> id IN $noted_traces, `Links.TraceId`)
    OR arrayExists($is_noted_rating, `Events.Name`, `Events.Attributes`)
)
