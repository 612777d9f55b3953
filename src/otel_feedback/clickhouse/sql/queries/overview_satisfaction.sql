-- Question: how satisfied are people, day by day, with each model, each version of each prompt and each service?
-- Parameters: {since:DateTime('UTC')} {until:DateTime('UTC')}; {service:String} {model:String} {version:String} {name:String}
--   '' for any.
-- Cost: one pass over the narrow columns of the period's calls, one over all ratings: what the four questions
--   satisfaction_by_* answer each, at once.
WITH
    $wilson
SELECT
    Part,
    Value,
    Calls,
    RatedCalls,
    round(RatedCalls / Calls, 3) AS ResponseRate,
    Ratings,
    Positive,
    Negative,
    round(share_of(Positive, Negative), 3) AS Satisfaction,
    round(low_of(Positive, Negative), 3) AS Low,
    round(high_of(Positive, Negative), 3) AS High
FROM (
    SELECT
        part.1 AS Part,
        part.2 AS Value,
        sum(Calls) AS Calls,
        sum(RatedCalls) AS RatedCalls,
        sum(Ratings) AS Ratings,
        sum(Positive) AS Positive,
        sum(Negative) AS Negative
    FROM (
        SELECT
            [
                ('day', toString(toDate(Timestamp, 'UTC'))),
                ('model', if(ResponseModel != '', ResponseModel, RequestModel)),
                ('prompt', trimBoth(concat(PromptName, ' ', PromptVersion))),
                ('service', ServiceName)
            ] AS Parts,
            count() AS Calls,
            toUInt64(0) AS RatedCalls,
            toUInt64(0) AS Ratings,
            toUInt64(0) AS Positive,
            toUInt64(0) AS Negative
        FROM llm_calls
        WHERE
            $chosen_calls
        GROUP BY Parts
        UNION ALL
        SELECT
            [
                ('day', toString(toDate(Timestamp, 'UTC'))),
                ('model', if(ResponseModel != '', ResponseModel, RequestModel)),
                ('prompt', trimBoth(concat(PromptName, ' ', PromptVersion))),
                ('service', ServiceName)
            ] AS Parts,
            toUInt64(0) AS Calls,
            uniqExact(TraceId, SpanId) AS RatedCalls,
            count() AS Ratings,
            countIf(Label = 'positive') AS Positive,
            countIf(Label = 'negative') AS Negative
        FROM rated_llm_calls
        WHERE
            $chosen_calls
            AND Source = 'end_user'
            AND ({name:String} = '' OR Name = {name:String})
        GROUP BY Parts
    )
    ARRAY JOIN Parts AS part
    GROUP BY Part, Value
)
ORDER BY Part, if(Part IN ('model', 'service'), -toInt64(Calls), 0), Value
