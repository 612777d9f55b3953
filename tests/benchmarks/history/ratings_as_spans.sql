-- The submissions of ratings.sql as the short spans that carry them.
INSERT INTO otel_traces (
    Timestamp, TraceId, SpanId, ParentSpanId, SpanName, SpanKind, ServiceName, ResourceAttributes, ScopeName,
    StatusCode, `Events.Timestamp`, `Events.Name`, `Events.Attributes`, `Links.TraceId`, `Links.SpanId`,
    `Links.TraceState`, `Links.Attributes`
)
SELECT
    Time,
    TraceId,
    lower(hex(sipHash64('carrier', number))),
    SpanId,
    'user_feedback thumbs',
    'Internal',
    ServiceName,
    map('service.name', ServiceName),
    'otel_feedback',
    'Unset',
    [Time],
    ['gen_ai.evaluation.result'],
    [Delivered],
    [TraceId],
    [SpanId],
    [''],
    [map()]
FROM ($ratings)
