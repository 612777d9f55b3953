-- Question: who rated well and now rates worse?
-- Parameters:
--   {since:DateTime('UTC')} [30d] ratings from this moment on, e.g. 2026-11-01
--   {until:DateTime('UTC')} [now] ratings before this moment, e.g. 2026-11-08
--   {recent_days:UInt16} [7] the last days of that time, compared with those before, e.g. 14
--   {least:UInt32} [3] positive or negative ratings that a person needs in either part, e.g. 10
--   {name:String} [] ratings of this name only, e.g. thumbs
--   {limit:UInt32} [20] people at most, largest fall first, e.g. 100
-- Cost: one pass over all ratings; reads no prompt. ChangeLow and ChangeHigh are the 95 % interval of the change
--   (Newcombe's, of Wilson's): where it holds 0, the fall may be chance.
WITH
    $wilson,
    {until:DateTime('UTC')} - toIntervalDay({recent_days:UInt16}) AS turn
SELECT
    UserId,
    PositiveBefore,
    NegativeBefore,
    PositiveRecent,
    NegativeRecent,
    $satisfaction_change,
    LastComplaint
FROM (
    SELECT
        *,
        $satisfaction_before_and_recent
    FROM (
        SELECT
            RaterId AS UserId,
            countIf(Label = 'positive' AND Time < turn) AS PositiveBefore,
            countIf(Label = 'negative' AND Time < turn) AS NegativeBefore,
            countIf(Label = 'positive' AND Time >= turn) AS PositiveRecent,
            countIf(Label = 'negative' AND Time >= turn) AS NegativeRecent,
            argMaxIf(Comment, (Time, FeedbackId), Label = 'negative' AND Comment != '') AS LastComplaint
        FROM feedback
        WHERE Time >= {since:DateTime('UTC')}
            AND Time < {until:DateTime('UTC')}
            AND Source = 'end_user'
            AND RaterId != ''
            AND ({name:String} = '' OR Name = {name:String})
        GROUP BY RaterId
    )
    WHERE PositiveBefore + NegativeBefore >= {least:UInt32} AND PositiveRecent + NegativeRecent >= {least:UInt32}
)
WHERE recent < before
ORDER BY Change, UserId
LIMIT {limit:UInt32}
