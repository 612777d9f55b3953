LEFT ANY JOIN arm_tags AS own ON own.TraceId = call.TraceId AND own.SpanId = call.SpanId
LEFT ANY JOIN arm_tags_of_traces AS near ON near.TraceId = call.TraceId
WHERE call.Timestamp >= {since:DateTime('UTC')}
    AND call.Timestamp < {until:DateTime('UTC')}
    AND ({service:String} = '' OR call.ServiceName = {service:String})
    AND ({prompt:String} = '' OR call.PromptName = {prompt:String})
