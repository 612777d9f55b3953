-- Store every log record of a segment; see insert_traces.sql. A record without a time has the time it was
-- observed at, or when it came; one with an id of another length than ids have belongs to no trace.
INSERT INTO otel_logs (
    Timestamp, TraceId, SpanId, TraceFlags, SeverityText, SeverityNumber, ServiceName, Body, ResourceSchemaUrl,
    ResourceAttributes, ScopeSchemaUrl, ScopeName, ScopeVersion, ScopeAttributes, LogAttributes, EventName, Segment
)
SETTINGS
    $insert_settings
WITH
    $text_of_values
SELECT
    moment(multiIf(
        record.time_unix_nano != 0, record.time_unix_nano,
        record.observed_time_unix_nano != 0, record.observed_time_unix_nano,
        arrival_unix_nano
    )),
    if(length(record.trace_id) = 16, hex_id(record.trace_id), ''),
    if(length(record.span_id) = 8, hex_id(record.span_id), ''),
    toUInt8(bitAnd(record.flags, 255)),
    record.severity_text,
    toUInt8(bitAnd(record.severity_number, 255)),
    resource['service.name'],
    value_text(record.body, record.body.value IN ('bytes_value', 'kvlist_value')),
    resource_schema_url,
    resource,
    scope_schema_url,
    scope.1,
    scope.2,
    scope_attributes,
    attribute_map(record.attributes),
    record.event_name,
    $token
FROM (
    SELECT
        arrival_unix_nano,
        resource,
        resource_schema_url,
        scope_logs.schema_url AS scope_schema_url,
        (scope_logs.scope.name, scope_logs.scope.version) AS scope,
        attribute_map(scope_logs.scope.attributes) AS scope_attributes,
        arrayJoin(scope_logs.log_records) AS record
    FROM (
        SELECT
            arrival_unix_nano,
            attribute_map(resource_logs.resource.attributes) AS resource,
            resource_logs.schema_url AS resource_schema_url,
            arrayJoin(resource_logs.scope_logs) AS scope_logs
        FROM (SELECT arrival_unix_nano, arrayJoin(resource_logs) AS resource_logs FROM $source)
    )
)
