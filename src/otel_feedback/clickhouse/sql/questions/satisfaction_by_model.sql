-- Question: how satisfied are people with each model's answers?
-- Parameters:
--   {since:DateTime('UTC')} [30d] calls from this moment on, e.g. 2026-11-01
--   {until:DateTime('UTC')} [now] calls before this moment, e.g. 2026-11-08
--   {service:String} [] calls of this service only, e.g. shop-assistant
--   {name:String} [] ratings of this name only, e.g. thumbs
-- Cost: one pass over the narrow columns of the period's calls, one over all ratings.
WITH
    $wilson
SELECT
    call.Model AS Model,
    $satisfaction_columns
FROM (
    SELECT
        if(ResponseModel != '', ResponseModel, RequestModel) AS Model,
        count() AS Calls
    FROM llm_calls
    WHERE Timestamp >= {since:DateTime('UTC')}
        AND Timestamp < {until:DateTime('UTC')}
        AND ({service:String} = '' OR ServiceName = {service:String})
    GROUP BY Model
) AS call
LEFT JOIN (
    SELECT
        if(ResponseModel != '', ResponseModel, RequestModel) AS Model,
        $rating_counts
    FROM rated_llm_calls
    WHERE Timestamp >= {since:DateTime('UTC')}
        AND Timestamp < {until:DateTime('UTC')}
        AND ({service:String} = '' OR ServiceName = {service:String})
        AND Source = 'end_user'
        AND ({name:String} = '' OR Name = {name:String})
    GROUP BY Model
) AS rating ON rating.Model = call.Model
ORDER BY Calls DESC, Model
