-- LLM calls in the noted traces, and of noted people in no trace.
TraceId IN $noted_traces OR UserId IN $noted_users OR SessionId IN $noted_sessions
