-- Question: which versions of which prompts were rated since then, in the order in which they came?
-- Parameters: {since:DateTime('UTC')}; {ratings:UInt64} the fewest ratings of a version; {limit:UInt32}.
-- Cost: one pass over the narrow columns of the period's calls, one over all ratings.
SELECT
    PromptName AS Prompt,
    PromptVersion AS Version,
    toUnixTimestamp(min(Timestamp)) AS FirstUnixSeconds,
    count() AS Ratings,
    countIf(Label = 'negative') AS Negative
FROM rated_llm_calls
WHERE Timestamp >= {since:DateTime('UTC')}
    AND Source = 'end_user'
    AND PromptName != ''
    AND PromptVersion != ''
GROUP BY Prompt, Version
HAVING Ratings >= {ratings:UInt64}
ORDER BY max(Timestamp) DESC, Prompt, FirstUnixSeconds
LIMIT {limit:UInt32}
