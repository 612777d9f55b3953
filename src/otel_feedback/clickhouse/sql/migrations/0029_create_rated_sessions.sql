-- Each current rating in a session, of the whole of it or of an answer in it (see Scope), beside its session.
CREATE VIEW IF NOT EXISTS rated_sessions AS
SELECT
    session.*,
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
FROM sessions AS session
INNER JOIN feedback AS rating ON rating.SessionId = session.SessionId
WHERE rating.SessionId != ''
