-- Question: which values has {by:String}, or the attribute {attribute:String} of the call's span or else of its trace, with
-- how many calls and ratings each? Those with most ratings come first, 10,000 of them.
-- Cost: one pass over the narrow columns of the period's calls, one over all ratings; over the period's spans where an
-- attribute is asked for.
WITH
    $arm_tags
SELECT
    Arm,
    sum(IsCall) AS Calls,
    sum(1 - IsCall) AS Ratings,
    toUnixTimestamp(min(Time)) AS First,
    toUnixTimestamp(max(Time)) AS Last,
    arraySort(groupUniqArray(10)(PromptName)) AS Prompts
FROM (
    SELECT
        $arm_of_call AS Arm,
        1 AS IsCall,
        call.Timestamp AS Time,
        toValidUTF8(toString(call.PromptName)) AS PromptName
    FROM llm_calls AS call
    $arm_joins
    UNION ALL
    SELECT
        $arm_of_call AS Arm,
        0 AS IsCall,
        call.Timestamp AS Time,
        toValidUTF8(toString(call.PromptName)) AS PromptName
    FROM rated_llm_calls AS call
    $arm_joins
        AND ({source:String} = '' OR call.Source = {source:String})
        AND ({name:String} = '' OR call.Name = {name:String})
)
GROUP BY Arm
ORDER BY Ratings DESC, Calls DESC, Arm
LIMIT 10000
