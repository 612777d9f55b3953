-- Findings that show a call of the noted traces or sessions as an example.
arrayExists(id -> id IN $noted_traces, TraceIds)
OR arrayExists(id -> id IN $noted_sessions, SessionIds)
