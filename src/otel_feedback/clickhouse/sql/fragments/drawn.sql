sipHash64('contrast', firstNonDefault(SessionId, TraceId)) % 1000000
