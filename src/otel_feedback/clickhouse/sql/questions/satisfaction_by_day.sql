-- Question: how did satisfaction go, day by day?
-- Parameters:
--   {since:DateTime('UTC')} [30d] calls from this moment on, e.g. 2026-11-01
--   {until:DateTime('UTC')} [now] calls before this moment, e.g. 2026-11-08
--   {service:String} [] calls of this service only, e.g. shop-assistant
--   {model:String} [] calls that this model answered only, e.g. gpt-4o
--   {version:String} [] calls with this version of a prompt only, e.g. v2
--   {name:String} [] ratings of this name only, e.g. thumbs
--   {timezone:String} [UTC] whose midnight begins a day, e.g. Europe/Berlin
-- Cost: one pass over the narrow columns of the period's calls, one over all ratings.
WITH
    $wilson
SELECT
    call.Day AS Day,
    $satisfaction_columns
FROM (
    SELECT
        toDate(Timestamp, {timezone:String}) AS Day,
        count() AS Calls
    FROM llm_calls
    WHERE
        $chosen_calls
    GROUP BY Day
) AS call
LEFT JOIN (
    SELECT
        toDate(Timestamp, {timezone:String}) AS Day,
        $rating_counts
    FROM rated_llm_calls
    WHERE
        $chosen_calls
        AND Source = 'end_user'
        AND ({name:String} = '' OR Name = {name:String})
    GROUP BY Day
) AS rating ON rating.Day = call.Day
ORDER BY Day
