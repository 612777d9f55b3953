-- Ratings by the noted people, and ratings of noted traces, answers and sessions.
arrayExists(key -> Delivered[key] IN $noted_users, $user_keys)
OR TargetTraceId IN $noted_traces
OR ResponseId IN $noted_responses
OR SessionId IN $noted_sessions
