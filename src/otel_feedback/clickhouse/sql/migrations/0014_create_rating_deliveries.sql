-- Every submission of a rating. One may come as a span event and as a log record, late, twice and out of order: of its
-- deliveries the one stays that tells the most, by Precedence, which follows from their content alone and is another for
-- each submission. No date is in the key or in a partition: a rating that is edited or late must not become a second one.
-- The columns up to Delivered are what a carrier tells; the others follow from its attributes, for every carrier alike.
CREATE TABLE IF NOT EXISTS rating_deliveries (
    Time DateTime64(9) CODEC(ZSTD(1)),
    ReceivedTime DateTime64(9) DEFAULT now64(9) CODEC(ZSTD(1)),
    TargetTraceId String CODEC(ZSTD(1)),
    TargetSpanId String CODEC(ZSTD(1)),
    ServiceName LowCardinality(String),
    Carrier LowCardinality(String),
    Segment LowCardinality(String),
    Delivered Map(LowCardinality(String), String) CODEC(ZSTD(1)),

    EventId String MATERIALIZED if(
        Delivered['otel_feedback.id'] != '',
        Delivered['otel_feedback.id'],
        lower(hex(sipHash128(Time, TargetTraceId, TargetSpanId, toString(Delivered))))
    ) CODEC(ZSTD(1)),
    Action LowCardinality(String) MATERIALIZED if(Delivered['otel_feedback.action'] = 'retract', 'retract', 'submit'),
    ResponseId String MATERIALIZED Delivered['gen_ai.response.id'] CODEC(ZSTD(1)),
    SessionId String MATERIALIZED if(
        Delivered['session.id'] != '', Delivered['session.id'], Delivered['gen_ai.conversation.id']
    ) CODEC(ZSTD(1)),
    Scope LowCardinality(String) MATERIALIZED multiIf(
        Delivered['otel_feedback.scope'] = 'session' AND SessionId != '', 'session',
        Delivered['otel_feedback.scope'] = 'trace' AND TargetTraceId != '', 'trace',
        TargetSpanId != '' OR ResponseId != '', 'span',
        TargetTraceId != '', 'trace',
        'session'
    ),
    TraceId String MATERIALIZED if(Scope = 'session', '', TargetTraceId) CODEC(ZSTD(1)),
    SpanId String MATERIALIZED if(Scope = 'span', TargetSpanId, '') CODEC(ZSTD(1)),
    Name LowCardinality(String) MATERIALIZED Delivered['gen_ai.evaluation.name'],
    Value Nullable(Float64) MATERIALIZED if(
        isFinite(toFloat64OrNull(Delivered['gen_ai.evaluation.score.value'])),
        toFloat64OrNull(Delivered['gen_ai.evaluation.score.value']),
        NULL
    ),
    ScoreMin Nullable(Float64) MATERIALIZED toFloat64OrNull(Delivered['otel_feedback.score.min']),
    ScoreMax Nullable(Float64) MATERIALIZED toFloat64OrNull(Delivered['otel_feedback.score.max']),
    -- As otel_feedback.rating.label_of_score and label_of_category say.
    Label LowCardinality(String) MATERIALIZED multiIf(
        lower(trimBoth(Delivered['gen_ai.evaluation.score.label'])) IN ('pass', 'positive'), 'positive',
        lower(trimBoth(Delivered['gen_ai.evaluation.score.label'])) IN ('fail', 'negative'), 'negative',
        Delivered['gen_ai.evaluation.score.label'] != '', Delivered['gen_ai.evaluation.score.label'],
        Value IS NULL, '',
        ScoreMin IS NULL AND ScoreMax IS NULL, multiIf(Value = 1, 'positive', Value = 0, 'negative', ''),
        ScoreMin IS NULL OR ScoreMax IS NULL OR ScoreMax <= ScoreMin, '',
        (Value - ScoreMin) / (ScoreMax - ScoreMin) <= 1 / 3, 'negative',
        (Value - ScoreMin) / (ScoreMax - ScoreMin) >= 2 / 3, 'positive',
        'neutral'
    ),
    Comment String MATERIALIZED Delivered['gen_ai.evaluation.explanation'] CODEC(ZSTD(1)),
    Correction String MATERIALIZED Delivered['otel_feedback.correction'] CODEC(ZSTD(1)),
    Reasons Array(String) MATERIALIZED JSONExtract(Delivered['otel_feedback.reasons'], 'Array(String)') CODEC(ZSTD(1)),
    Source LowCardinality(String) MATERIALIZED if(
        Delivered['otel_feedback.source'] != '', Delivered['otel_feedback.source'], 'end_user'
    ),
    RaterId String MATERIALIZED multiIf(
        Delivered['enduser.pseudo.id'] != '', Delivered['enduser.pseudo.id'],
        Delivered['enduser.id'] != '', Delivered['enduser.id'],
        Delivered['user.id']
    ) CODEC(ZSTD(1)),
    Via LowCardinality(String) MATERIALIZED if(Delivered['otel_feedback.via'] != '', Delivered['otel_feedback.via'], Carrier),
    Attributes Map(LowCardinality(String), String) MATERIALIZED mapFilter(
        (key, value) -> NOT startsWith(key, 'gen_ai.evaluation.') AND NOT startsWith(key, 'otel_feedback.') AND key NOT IN (
            'gen_ai.response.id', 'session.id', 'gen_ai.conversation.id', 'enduser.pseudo.id', 'enduser.id', 'user.id'
        ),
        Delivered
    ) CODEC(ZSTD(1)),
    -- What is rated, under which name, by whom: FeedbackId, unless a response id leads to the call.
    RatingKey FixedString(16) MATERIALIZED sipHash128(
        Scope,
        multiIf(
            Scope = 'session', if(SessionId != '', SessionId, EventId),
            Scope = 'trace', TraceId,
            SpanId != '', concat(TraceId, '/', SpanId),
            ResponseId
        ),
        Name,
        RaterId
    ) CODEC(NONE),
    TraceKey UInt64 MATERIALIZED if(TraceId = '', 0, cityHash64(TraceId)) CODEC(NONE),
    -- Its place among the submissions of one rating: by time, then by EventId.
    Place UInt256 MATERIALIZED bitOr(
        bitShiftLeft(toUInt256(greatest(toUnixTimestamp64Nano(Time), 0)), 192),
        bitOr(
            bitShiftLeft(toUInt256(reinterpretAsUInt128(reverse(toFixedString(substring(EventId, 1, 16), 16)))), 64),
            toUInt256(sipHash64(EventId))
        )
    ) CODEC(ZSTD(1)),
    Precedence UInt64 MATERIALIZED bitOr(
        bitShiftLeft(toUInt64((TraceId != '') * 4 + (SpanId != '') * 2 + (Carrier = 'span_event')), 61),
        bitShiftRight(sipHash64(EventId, Time, TargetTraceId, TargetSpanId, toString(Delivered)), 3)
    ) CODEC(NONE)
)
ENGINE = ReplacingMergeTree(Precedence)
ORDER BY EventId
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1,
    min_bytes_for_wide_part = 104857600, min_free_disk_bytes_to_perform_insert = 16777216
