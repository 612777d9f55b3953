call.TraceId AS TraceId,
call.SpanId AS SpanId,
toUnixTimestamp64Nano(call.Timestamp) AS TimeUnixNano,
call.SessionId AS SessionId,
firstNonDefault(call.SessionId, call.TraceId) AS Conversation,
call.UserId AS UserId,
call.Duration / 1e9 AS Seconds,
toFloat64(lengthUTF8(call.Prompt)) AS PromptCharacters,
toFloat64(lengthUTF8(call.Completion)) AS AnswerCharacters,
toFloat64(JSONLength(call.InputMessages)) AS Messages,
toValidUTF8(concat(
    substringUTF8(call.Prompt, 1, 3000),
    substringUTF8(call.Prompt, greatest(3001, toInt64(lengthUTF8(call.Prompt)) - 999))
)) AS Prompt,
toValidUTF8(concat(
    substringUTF8(call.Completion, 1, 3000),
    substringUTF8(call.Completion, greatest(3001, toInt64(lengthUTF8(call.Completion)) - 999))
)) AS Answer
