-- Question: which answers are rated worse, or better, than in the time before?
-- Parameters:
--   {since:DateTime('UTC')} [14d] calls from this moment on, e.g. 2026-11-01
--   {until:DateTime('UTC')} [now] calls before this moment, e.g. 2026-11-08
--   {recent_days:UInt16} [7] the last days of that time, compared with those before, e.g. 3
--   {service:String} [] calls of this service only, e.g. shop-assistant
--   {model:String} [] calls that this model answered only, e.g. gpt-4o
--   {version:String} [] calls with this version of a prompt only, e.g. v2
--   {name:String} [] ratings of this name only, e.g. thumbs
-- Cost: one pass over the narrow columns of the period's calls, one over all ratings. ChangeLow and ChangeHigh are the
--   95 % interval of each change (Newcombe's, of Wilson's). One row in twenty lies outside its own by chance: many rows
--   tell less than one.
WITH
    $wilson,
    {until:DateTime('UTC')} - toIntervalDay({recent_days:UInt16}) AS turn
SELECT
    Part,
    Value,
    CallsBefore,
    CallsRecent,
    RatedCallsBefore,
    RatedCallsRecent,
    PositiveBefore,
    NegativeBefore,
    PositiveRecent,
    NegativeRecent,
    $satisfaction_change
FROM (
    SELECT
        *,
        $satisfaction_before_and_recent
    FROM (
        SELECT
            part.1 AS Part,
            part.2 AS Value,
            sumIf(Calls, NOT IsRecent) AS CallsBefore,
            sumIf(Calls, IsRecent) AS CallsRecent,
            sumIf(RatedCalls, NOT IsRecent) AS RatedCallsBefore,
            sumIf(RatedCalls, IsRecent) AS RatedCallsRecent,
            sumIf(Positive, NOT IsRecent) AS PositiveBefore,
            sumIf(Negative, NOT IsRecent) AS NegativeBefore,
            sumIf(Positive, IsRecent) AS PositiveRecent,
            sumIf(Negative, IsRecent) AS NegativeRecent
        FROM (
            SELECT
                Timestamp >= turn AS IsRecent,
                [
                    ('all', ''),
                    ('service', ServiceName),
                    ('model', if(ResponseModel != '', ResponseModel, RequestModel)),
                    ('prompt', trimBoth(concat(PromptName, ' ', PromptVersion)))
                ] AS Parts,
                count() AS Calls,
                toUInt64(0) AS RatedCalls,
                toUInt64(0) AS Positive,
                toUInt64(0) AS Negative
            FROM llm_calls
            WHERE
                $chosen_calls
            GROUP BY IsRecent, Parts
            UNION ALL
            SELECT
                Timestamp >= turn AS IsRecent,
                [
                    ('all', ''),
                    ('service', ServiceName),
                    ('model', if(ResponseModel != '', ResponseModel, RequestModel)),
                    ('prompt', trimBoth(concat(PromptName, ' ', PromptVersion)))
                ] AS Parts,
                toUInt64(0) AS Calls,
                uniqExact(TraceId, SpanId) AS RatedCalls,
                countIf(Label = 'positive') AS Positive,
                countIf(Label = 'negative') AS Negative
            FROM rated_llm_calls
            WHERE
                $chosen_calls
                AND Source = 'end_user'
                AND ({name:String} = '' OR Name = {name:String})
            GROUP BY IsRecent, Parts
        )
        ARRAY JOIN Parts AS part
        WHERE part.1 = 'all' OR part.2 != ''
        GROUP BY Part, Value
    )
)
ORDER BY Part != 'all', Change IS NULL, Change, Part, Value
