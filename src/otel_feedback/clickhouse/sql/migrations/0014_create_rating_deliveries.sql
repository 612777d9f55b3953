-- Every submission of a rating. One may come as a span event and as a log record, late, twice and out of order: of its
-- deliveries the one stays that tells the most, by Precedence, which follows from their content alone and is another for
-- each submission. No date is in the key or in a partition: a rating that is edited or late must not become a second one.
-- The columns up to Delivered are what a carrier tells; the others follow from its attributes, for every carrier alike: those
-- of the GenAI conventions and ours, and Microsoft's for human evaluations, which keep some in the JSON internal_properties.
CREATE TABLE IF NOT EXISTS rating_deliveries (
    Time DateTime64(9) CODEC(ZSTD(1)),
    ReceivedTime DateTime64(9) DEFAULT now64(9) CODEC(ZSTD(1)),
    TargetTraceId String CODEC(ZSTD(1)),
    TargetSpanId String CODEC(ZSTD(1)),
    ServiceName LowCardinality(String),
    Carrier LowCardinality(String),
    Segment LowCardinality(String),
    Delivered Map(LowCardinality(String), String) CODEC(ZSTD(1)),

    EventId String MATERIALIZED firstNonDefault(
        Delivered['otel_feedback.id'],
        Delivered['microsoft.gen_ai.human_evaluation.id'],
        Delivered['microsoft.human_evaluation.id'],
        lower(concat(hex(toUnixTimestamp64Nano(Time)), hex(sipHash128(Time, TargetTraceId, TargetSpanId, toString(Delivered)))))
    ) CODEC(ZSTD(1)),
    Action LowCardinality(String) MATERIALIZED if(Delivered['otel_feedback.action'] = 'retract', 'retract', 'submit'),
    ResponseId String MATERIALIZED Delivered['gen_ai.response.id'] CODEC(ZSTD(1)),
    SessionId String MATERIALIZED firstNonDefault(
        Delivered['session.id'], Delivered['gen_ai.conversation.id']
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
        isFinite(toFloat64OrNull(
            firstNonDefault(Delivered['gen_ai.evaluation.score.value'], Delivered['gen_ai.evaluation.score'])
        ) AS told_value),
        told_value,
        NULL
    ),
    ScoreMin Nullable(Float64) MATERIALIZED coalesce(
        toFloat64OrNull(Delivered['otel_feedback.score.min']),
        JSONExtract(Delivered['internal_properties'], 'gen_ai.evaluation.min_value', 'Nullable(Float64)'),
        toFloat64OrNull(Delivered['internal_properties.gen_ai.evaluation.min_value'])
    ),
    ScoreMax Nullable(Float64) MATERIALIZED coalesce(
        toFloat64OrNull(Delivered['otel_feedback.score.max']),
        JSONExtract(Delivered['internal_properties'], 'gen_ai.evaluation.max_value', 'Nullable(Float64)'),
        toFloat64OrNull(Delivered['internal_properties.gen_ai.evaluation.max_value'])
    ),
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
    -- Microsoft's evaluators write the same events as people do, without a source.
    Source LowCardinality(String) MATERIALIZED firstNonDefault(
        Delivered['otel_feedback.source'],
        transform(
            firstNonDefault(
                Delivered['microsoft.gen_ai.human_evaluation.source'],
                JSONExtractString(Delivered['internal_properties'], 'microsoft.human_evaluation.source'),
                Delivered['internal_properties.microsoft.human_evaluation.source']
            ),
            ['builder', 'expert'],
            ['annotator', 'annotator']
        ),
        if(
            Delivered['microsoft.gen_ai.evaluation.actor.type'] IN ('', 'human') AND Delivered['internal_properties'] = '',
            'end_user',
            'evaluator'
        )
    ),
    RaterId String MATERIALIZED firstNonDefault(
        Delivered['enduser.pseudo.id'], Delivered['enduser.id'], Delivered['user.id']
    ) CODEC(ZSTD(1)),
    Via LowCardinality(String) MATERIALIZED firstNonDefault(Delivered['otel_feedback.via'], toString(Carrier)),
    Attributes Map(LowCardinality(String), String) MATERIALIZED mapFilter(
        (key, value) -> NOT startsWith(key, 'gen_ai.evaluation.') AND NOT startsWith(key, 'otel_feedback.') AND key NOT IN (
            'gen_ai.response.id', 'session.id', 'gen_ai.conversation.id', 'enduser.pseudo.id', 'enduser.id', 'user.id'
        ),
        Delivered
    ) CODEC(ZSTD(1)),
    -- What views look for, as numbers. Whose: the name and the rater. The response id says what is rated as soon as that call
    -- has come, where no span does, and in Microsoft's events, which name the span that the app was in when the rating came.
    TraceKey UInt64 MATERIALIZED if(TraceId = '', 0, cityHash64(TraceId)) CODEC(NONE),
    SpanKey UInt64 MATERIALIZED if(SpanId = '', 0, cityHash64(SpanId)) CODEC(NONE),
    ResponseKey UInt64 MATERIALIZED if(
        Scope = 'span' AND (SpanId = '' OR Delivered['microsoft.custom_event.name'] != '') AND ResponseId != '',
        cityHash64(ResponseId),
        0
    ) CODEC(ZSTD(1)),
    WhoseKey UInt64 MATERIALIZED sipHash64(Name, RaterId) CODEC(NONE),
    -- What is rated and whose rating it is: FeedbackId, unless a response id leads to the call.
    RatingKey FixedString(16) MATERIALIZED multiIf(
        Scope = 'session', sipHash128(if(SessionId != '', SessionId, EventId), WhoseKey),
        TraceKey != 0, sipHash128(TraceKey, SpanKey, WhoseKey),
        sipHash128(ResponseId, WhoseKey)
    ) CODEC(NONE),
    -- Its place among the submissions of one rating: by time, then by EventId.
    Place String MATERIALIZED concat(
        reverse(reinterpretAsFixedString(toUInt64(greatest(toUnixTimestamp64Nano(Time), 0)))), EventId
    ) CODEC(LZ4),
    Precedence UInt64 MATERIALIZED bitOr(
        bitShiftLeft(toUInt64((TraceId != '') * 4 + (SpanId != '') * 2 + (Carrier != 'log')), 61),
        bitShiftRight(sipHash64(EventId, Time, TargetTraceId, TargetSpanId, toString(Delivered)), 3)
    ) CODEC(NONE),
    -- Ids begin with a time, as ULIDs do and those that are made here: the newest ratings lie in the last granules.
    INDEX time Time TYPE minmax GRANULARITY 1
)
-- Two carriers bring a rating, so it lies here twice until parts merge, and FINAL has to do that in each question. What has
-- lain for ten minutes is merged, which makes questions twice as fast and is a second's work for some 200,000 ratings.
ENGINE = ReplacingMergeTree(Precedence)
ORDER BY EventId
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1,
    min_bytes_for_wide_part = 104857600, min_free_disk_bytes_to_perform_insert = 16777216,
    min_age_to_force_merge_seconds = 600
