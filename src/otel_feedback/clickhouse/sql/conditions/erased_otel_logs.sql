-- Log records of the noted traces and sessions, those that name a noted person, and ratings of noted answers.
TraceId IN $noted_traces
OR arrayExists(key -> LogAttributes[key] IN $noted_users, $user_keys)
OR arrayExists(key -> LogAttributes[key] IN $noted_sessions, $session_keys)
OR 'gen_ai.evaluation.result' IN (EventName, LogAttributes['event.name'], LogAttributes['microsoft.custom_event.name'])
    AND LogAttributes['gen_ai.response.id'] IN $noted_responses
