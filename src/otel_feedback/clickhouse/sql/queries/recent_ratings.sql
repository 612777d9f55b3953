-- Question: how many current ratings did users give in the last day, by service, model, name and label, the commonest by themselves?
-- Parameters: {series:UInt32}: so many combinations are told by themselves, the others together as "other".
-- Cost: one pass over the narrow columns of all ratings, one over those of their calls.
SELECT
    if(Rank <= {series:UInt32}, Service, 'other') AS Service,
    if(Rank <= {series:UInt32}, Model, 'other') AS Model,
    if(Rank <= {series:UInt32}, Name, 'other') AS Name,
    Label,
    sum(Ratings) AS Ratings
FROM (
    SELECT
        substringUTF8(f.ServiceName, 1, 60) AS Service,
        substringUTF8(call.Model, 1, 60) AS Model,
        substringUTF8(f.Name, 1, 60) AS Name,
        if(f.Label IN ('positive', 'neutral', 'negative'), toString(f.Label), if(f.Label = '', 'none', 'other')) AS Label,
        count() AS Ratings,
        row_number() OVER (ORDER BY count() DESC, Service, Model, Name, Label) AS Rank
    FROM feedback AS f
    LEFT ANY JOIN (
        SELECT FeedbackId, if(ResponseModel != '', toString(ResponseModel), toString(RequestModel)) AS Model
        FROM rated_llm_calls
        WHERE RatingTime >= now() - INTERVAL 1 DAY AND Source = 'end_user'
    ) AS call ON call.FeedbackId = f.FeedbackId
    WHERE f.Time >= now() - INTERVAL 1 DAY AND f.Source = 'end_user'
    GROUP BY Service, Model, Name, Label
)
GROUP BY Service, Model, Name, Label
ORDER BY Ratings DESC, Service, Model, Name, Label
