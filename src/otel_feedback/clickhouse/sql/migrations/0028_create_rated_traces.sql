-- Each current rating of a span or a whole trace beside its trace.
CREATE VIEW IF NOT EXISTS rated_traces AS
SELECT
    trace.*,
    rating.FeedbackId AS FeedbackId,
    rating.Time AS RatingTime,
    rating.Name AS Name,
    rating.Value AS Value,
    rating.Label AS Label,
    rating.Comment AS Comment,
    rating.Correction AS Correction,
    rating.Reasons AS Reasons,
    rating.Scope AS Scope,
    rating.Source AS Source,
    rating.RaterId AS RaterId,
    rating.Changes AS Changes
FROM traces AS trace
INNER JOIN feedback AS rating ON rating.TraceId = trace.TraceId
WHERE rating.TraceId != ''
