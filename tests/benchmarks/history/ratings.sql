-- Submissions {first:UInt64} to {first:UInt64} + {count:UInt64} of {ratings:UInt64}, evenly over the LLM calls of spans.sql,
-- whose {total:UInt64} and {until:DateTime} are the same. One of twenty changes an earlier one; one of a hundred takes
-- one back. Slow answers are disliked more. Ids are ULIDs, as those that the SDK makes.
SELECT
    number,
    multiIf(number % 20 = 19, number - 10, number % 100 = 50, number - 1, number) AS rating,
    toUInt64(rating * (intDiv({total:UInt64}, 5) / {ratings:UInt64})) AS trace,
    intDiv(trace, 64) * 16 + trace % 16 AS session,
    lower(hex(sipHash128('trace', trace))) AS TraceId,
    lower(hex(sipHash64('span', trace * 5 + 3))) AS SpanId,
    addNanoseconds(
        toDateTime64({until:DateTime}, 9, 'UTC') - INTERVAL 30 DAY,
        toInt64(2592000000000000 / {total:UInt64} * 5 * trace) + 30000000000 + sipHash64('thought', number) % 600000000000
            + if(number = rating, 0, 3600000000000)
    ) AS Time,
    ['chat-api', 'chat-api', 'support-bot'][1 + sipHash64('service', session) % 3] AS ServiceName,
    toFloat64(sipHash64('latency', trace)) / 18446744073709551616 AS slowness,
    sipHash64('opinion', rating, number % 20) % 100 > 20 + 50 * slowness AS likes,
    mapConcat(
        map(
            'gen_ai.evaluation.name', 'thumbs',
            'gen_ai.evaluation.score.value', if(likes, '1', '0'),
            'gen_ai.evaluation.score.label', if(likes, 'positive', 'negative'),
            'gen_ai.response.id', concat('chatcmpl-', toString(sipHash64('response', trace))),
            'session.id', concat('session-', toString(session)),
            'enduser.pseudo.id', concat('user-', toString(sipHash64('user', session) % 20000)),
            'otel_feedback.id', concat(
                arrayStringConcat(arrayMap(
                    place -> substring(
                        '0123456789ABCDEFGHJKMNPQRSTVWXYZ', 1 + bitAnd(bitShiftRight(toUnixTimestamp64Milli(Time), 5 * place), 31), 1
                    ),
                    reverse(range(10))
                )),
                substring(upper(hex(sipHash128('submission', number))), 1, 16)
            ),
            'otel_feedback.action', if(number % 100 = 50, 'retract', 'submit'),
            'otel_feedback.source', 'end_user',
            'otel_feedback.scope', 'span'
        ),
        if(
            likes OR sipHash64('comments', number) % 3 > 0,
            CAST(map(), 'Map(String, String)'),
            map('gen_ai.evaluation.explanation', concat('not what I asked for, case ', toString(number)))
        )
    ) AS Delivered
FROM numbers({first:UInt64}, {count:UInt64})
