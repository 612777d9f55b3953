-- Ratings that spans tell: as span events; as a span of their own whose attributes are the rating, as Microsoft's SDK makes
-- it; as OpenInference's annotations and evaluations, any number of them among the attributes of a span.
-- What is rated: the one span that a span links to, unless it is a call itself; else the span itself, unless it is there
-- for the rating alone; else its parent. A carrier's own ids never name a target.
CREATE MATERIALIZED VIEW IF NOT EXISTS rating_deliveries_from_spans_mv TO rating_deliveries AS
WITH
    startsWith(SpanName, 'user_feedback ') OR SpanName = 'gen_ai.evaluation.result' AS is_carrier,
    SpanAttributes['openinference.span.kind'] IN ('', 'EVALUATOR')
        AND SpanAttributes['gen_ai.operation.name'] IN ('', 'evaluation')
        AND length(Links.TraceId) = 1 AS is_linked_carrier,
    arrayFilter(
        event -> event.2 = 'gen_ai.evaluation.result', arrayZip(Events.Timestamp, Events.Name, Events.Attributes)
    ) AS events,
    arrayFilter(
        prefix -> firstNonDefault(SpanAttributes[concat(prefix, 'score')], SpanAttributes[concat(prefix, 'label')]) != '',
        arrayDistinct(arrayMap(
            key -> extract(
                key,
                '^((?:trace\\.|session\\.)?(?:annotations\\.\\d+\\.annotation|evaluations\\.\\d+\\.evaluation|annotation|evaluation)\\.)name$'
            ),
            mapKeys(SpanAttributes)
        ))
    ) AS annotations,
    arrayMap(
        prefix -> mapFilter((key, value) -> value != '', map(
            'gen_ai.evaluation.name', SpanAttributes[concat(prefix, 'name')],
            'gen_ai.evaluation.score.value', SpanAttributes[concat(prefix, 'score')],
            'gen_ai.evaluation.score.label', SpanAttributes[concat(prefix, 'label')],
            'gen_ai.evaluation.explanation', SpanAttributes[concat(prefix, 'explanation')],
            'enduser.pseudo.id', SpanAttributes[concat(prefix, 'identifier')],
            'otel_feedback.source', transform(
                SpanAttributes[concat(prefix, 'annotator_kind')], ['HUMAN', 'LLM', 'CODE'], ['', 'evaluator', 'evaluator']
            ),
            'otel_feedback.scope', multiIf(startsWith(prefix, 'trace.'), 'trace', startsWith(prefix, 'session.'), 'session', ''),
            'session.id', if(startsWith(prefix, 'session.'), SpanAttributes['session.id'], ''),
            'metadata', SpanAttributes[concat(prefix, 'metadata')]
        )),
        annotations
    ) AS annotated
SELECT
    rating.1 AS Time,
    multiIf(is_linked_carrier, Links.TraceId[1], NOT is_carrier OR ParentSpanId != '', TraceId, '') AS TargetTraceId,
    multiIf(is_linked_carrier, Links.SpanId[1], NOT is_carrier, SpanId, ParentSpanId) AS TargetSpanId,
    ServiceName,
    rating.2 AS Carrier,
    Segment,
    rating.3 AS Delivered
FROM otel_traces
ARRAY JOIN arrayConcat(
    arrayMap(event -> (event.1, 'span_event', event.3), events),
    if(
        empty(events) AND SpanAttributes['gen_ai.evaluation.name'] != '',
        [(Timestamp, 'span', SpanAttributes)],
        []
    ),
    arrayMap(annotation -> (Timestamp, 'span', annotation), annotated)
) AS rating
WHERE has(Events.Name, 'gen_ai.evaluation.result') OR arrayExists(key -> key IN (
    'gen_ai.evaluation.name', 'annotation.name', 'evaluation.name',
    'annotations.0.annotation.name', 'evaluations.0.evaluation.name',
    'trace.annotations.0.annotation.name', 'trace.evaluations.0.evaluation.name',
    'session.annotations.0.annotation.name', 'session.evaluations.0.evaluation.name'
), mapKeys(SpanAttributes))
