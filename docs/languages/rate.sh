#!/bin/sh
# One LLM call and its rating with curl alone: OTLP as JSON, for any language that can send HTTP.
set -eu
endpoint=${OTEL_EXPORTER_OTLP_ENDPOINT:-http://localhost:4318}
now=$(date +%s)000000000
trace_id=$(openssl rand -hex 16)
span_id=$(openssl rand -hex 8)
carrier_id=$(openssl rand -hex 8)
rating_id=$(openssl rand -hex 16) # any unique text; a UUIDv7 sorts by time
resource='{"attributes": [{"key": "service.name", "value": {"stringValue": "bakery-chat"}}]}'

send() { # the signal; JSON from standard input
  curl --fail --silent --show-error --output /dev/null --header "Content-Type: application/json" \
    --header "Authorization: Bearer ${OTEL_FEEDBACK_INGEST_TOKEN:-none}" --data @- "$endpoint/v1/$1"
}

send traces <<END
{"resourceSpans": [{"resource": $resource, "scopeSpans": [{"scope": {"name": "bakery"}, "spans": [{
  "traceId": "$trace_id", "spanId": "$span_id", "name": "chat gpt-4o-mini", "kind": 3,
  "startTimeUnixNano": "$now", "endTimeUnixNano": "$now",
  "attributes": [
    {"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}},
    {"key": "gen_ai.provider.name", "value": {"stringValue": "openai"}},
    {"key": "gen_ai.request.model", "value": {"stringValue": "gpt-4o-mini"}},
    {"key": "gen_ai.response.model", "value": {"stringValue": "gpt-4o-mini-2024-07-18"}},
    {"key": "gen_ai.response.id", "value": {"stringValue": "chatcmpl-$span_id"}},
    {"key": "gen_ai.usage.input_tokens", "value": {"intValue": "12"}},
    {"key": "gen_ai.usage.output_tokens", "value": {"intValue": "6"}},
    {"key": "gen_ai.conversation.id", "value": {"stringValue": "conversation-42"}},
    {"key": "gen_ai.input.messages", "value": {"stringValue":
      "[{\"role\": \"user\", \"parts\": [{\"type\": \"text\", \"content\": \"Which bread is left?\"}]}]"}},
    {"key": "gen_ai.output.messages", "value": {"stringValue":
      "[{\"role\": \"assistant\", \"parts\": [{\"type\": \"text\", \"content\": \"Two loaves of rye.\"}]}]"}}
  ]}]}]}]}
END

attributes='[
  {"key": "gen_ai.evaluation.name", "value": {"stringValue": "thumbs"}},
  {"key": "gen_ai.evaluation.score.value", "value": {"doubleValue": 0}},
  {"key": "gen_ai.evaluation.score.label", "value": {"stringValue": "negative"}},
  {"key": "gen_ai.evaluation.explanation", "value": {"stringValue": "There was none."}},
  {"key": "gen_ai.conversation.id", "value": {"stringValue": "conversation-42"}},
  {"key": "enduser.pseudo.id", "value": {"stringValue": "u-7"}},
  {"key": "otel_feedback.id", "value": {"stringValue": "'$rating_id'"}},
  {"key": "otel_feedback.source", "value": {"stringValue": "end_user"}},
  {"key": "otel_feedback.scope", "value": {"stringValue": "span"}},
  {"key": "otel_feedback.reasons", "value": {"arrayValue": {"values": [{"stringValue": "wrong"}]}}}
]'

send traces <<END
{"resourceSpans": [{"resource": $resource, "scopeSpans": [{"scope": {"name": "bakery"}, "spans": [{
  "traceId": "$trace_id", "spanId": "$carrier_id", "parentSpanId": "$span_id", "name": "user_feedback thumbs", "kind": 1,
  "startTimeUnixNano": "$now", "endTimeUnixNano": "$now", "attributes": $attributes,
  "links": [{"traceId": "$trace_id", "spanId": "$span_id"}],
  "events": [{"timeUnixNano": "$now", "name": "gen_ai.evaluation.result", "attributes": $attributes}]}]}]}]}
END

send logs <<END
{"resourceLogs": [{"resource": $resource, "scopeLogs": [{"scope": {"name": "bakery"}, "logRecords": [{
  "traceId": "$trace_id", "spanId": "$span_id", "timeUnixNano": "$now", "eventName": "gen_ai.evaluation.result",
  "attributes": $attributes}]}]}]}
END

echo "$trace_id"
