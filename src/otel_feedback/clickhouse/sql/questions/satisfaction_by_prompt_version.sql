-- Question: how satisfied are people with each version of each prompt?
-- Parameters:
--   {since:DateTime('UTC')} [30d] calls from this moment on, e.g. 2026-11-01
--   {until:DateTime('UTC')} [now] calls before this moment, e.g. 2026-11-08
--   {service:String} [] calls of this service only, e.g. shop-assistant
--   {model:String} [] calls that this model answered only, e.g. gpt-4o
--   {version:String} [] calls with this version of a prompt only, e.g. v2
--   {name:String} [] ratings of this name only, e.g. thumbs
-- Cost: one pass over the narrow columns of the period's calls, one over all ratings.
WITH
    $wilson
SELECT
    call.PromptName AS PromptName,
    call.PromptVersion AS PromptVersion,
    $satisfaction_columns
FROM (
    SELECT
        PromptName,
        PromptVersion,
        count() AS Calls
    FROM llm_calls
    WHERE
        $chosen_calls
    GROUP BY PromptName, PromptVersion
) AS call
LEFT JOIN (
    SELECT
        PromptName,
        PromptVersion,
        $rating_counts
    FROM rated_llm_calls
    WHERE
        $chosen_calls
        AND Source = 'end_user'
        AND ({name:String} = '' OR Name = {name:String})
    GROUP BY PromptName, PromptVersion
) AS rating ON rating.PromptName = call.PromptName AND rating.PromptVersion = call.PromptVersion
ORDER BY PromptName, PromptVersion
