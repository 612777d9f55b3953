-- Log records of the noted traces and sessions, those that name a noted person, and ratings of noted answers.
TraceId IN $noted_traces
OR arrayExists(key -> LogAttributes[key] IN $noted_users, $user_keys)
OR arrayExists(key -> LogAttributes[key] IN $noted_sessions, $session_keys)
OR if(EventName != '', EventName, LogAttributes['event.name']) = 'gen_ai.evaluation.result'
    AND LogAttributes['gen_ai.response.id'] IN $noted_responses
