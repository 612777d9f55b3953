-- Question: which answers by {version:String} of {prompt:String} were disliked, or liked, and what was said of them? Of each person
-- or conversation at most three, those with a comment or a correction first.
-- Cost: the texts of the rated calls of this version, one pass over all ratings.
SELECT
    TraceId,
    SpanId,
    SessionId,
    firstNonDefault(RaterId, UserId, SessionId, TraceId) AS Person,
    toString(Label) AS Label,
    toValidUTF8(substringUTF8(Prompt, 1, 2000)) AS Prompt,
    toValidUTF8(substringUTF8(Completion, 1, 2000)) AS Answer,
    toValidUTF8(substringUTF8(Comment, 1, 1000)) AS Comment,
    toValidUTF8(substringUTF8(Correction, 1, 2000)) AS Correction,
    arrayMap(reason -> toValidUTF8(substringUTF8(reason, 1, 200)), arraySlice(Reasons, 1, 10)) AS Reasons
FROM rated_llm_calls
WHERE Timestamp >= {since:DateTime('UTC')}
    AND Timestamp < {until:DateTime('UTC')}
    AND ({source:String} = '' OR Source = {source:String})
    AND ({service:String} = '' OR ServiceName = {service:String})
    AND ({name:String} = '' OR Name = {name:String})
    AND PromptName = {prompt:String}
    AND PromptVersion = {version:String}
    AND Label = {label:String}
ORDER BY Comment || Correction != '' DESC, Timestamp DESC, TraceId, SpanId, FeedbackId
LIMIT 3 BY Person
LIMIT {most:UInt32}
