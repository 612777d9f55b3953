-- Messages of calls in the noted traces, and of those that a noted person's log record told.
TraceId IN $noted_traces OR concat(TraceId, '/', SpanId) IN $noted_messages
