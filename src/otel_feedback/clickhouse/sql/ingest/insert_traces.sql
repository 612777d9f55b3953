-- Store every span of a segment: one INSERT, one block, one deduplication token. The token is the segment's name; the source is
-- input(structure) on a server, and file(segment, 'Protobuf', structure) on the embedded engine. Times of more than 1000
-- days are refused before anything is stored, and the segment is then split: each day is a part of its own, some 10 ms.
INSERT INTO otel_traces (
    Timestamp, TraceId, SpanId, ParentSpanId, TraceState, SpanName, SpanKind, ServiceName, ResourceAttributes,
    ScopeName, ScopeVersion, SpanAttributes, Duration, StatusCode, StatusMessage,
    Events.Timestamp, Events.Name, Events.Attributes,
    Links.TraceId, Links.SpanId, Links.TraceState, Links.Attributes, Segment
)
SETTINGS
    $insert_settings
WITH
    $text_of_values,
    -- A span without a start begins where it ends, or when it came: 1970 would be true of neither, and expire at once.
    multiIf(
        span.start_time_unix_nano != 0, span.start_time_unix_nano,
        span.end_time_unix_nano != 0, span.end_time_unix_nano,
        arrival_unix_nano
    ) AS span_start
SELECT
    moment(span_start),
    hex_id(span.trace_id),
    hex_id(span.span_id),
    hex_id(span.parent_span_id),
    span.trace_state,
    span.name,
    transform(
        span.kind,
        [0, 1, 2, 3, 4, 5],
        ['Unspecified', 'Internal', 'Server', 'Client', 'Producer', 'Consumer'],
        ''
    ),
    resource['service.name'],
    resource,
    scope_name,
    scope_version,
    attribute_map(span.attributes),
    if(span.end_time_unix_nano > span_start, span.end_time_unix_nano - span_start, 0),
    transform(span.status.code, [0, 1, 2], ['Unset', 'Ok', 'Error'], ''),
    span.status.message,
    arrayMap(event -> moment(event.time_unix_nano), span.events),
    span.events.name,
    arrayMap(event -> attribute_map(event.attributes), span.events),
    arrayMap(link -> hex_id(link.trace_id), span.links),
    arrayMap(link -> hex_id(link.span_id), span.links),
    span.links.trace_state,
    arrayMap(link -> attribute_map(link.attributes), span.links),
    $token
FROM (
    SELECT
        arrival_unix_nano,
        resource,
        scope_spans.scope.name AS scope_name,
        scope_spans.scope.version AS scope_version,
        arrayJoin(scope_spans.spans) AS span
    FROM (
        SELECT
            arrival_unix_nano,
            attribute_map(resource_spans.resource.attributes) AS resource,
            arrayJoin(resource_spans.scope_spans) AS scope_spans
        FROM (SELECT arrival_unix_nano, arrayJoin(resource_spans) AS resource_spans FROM $source)
    )
)
