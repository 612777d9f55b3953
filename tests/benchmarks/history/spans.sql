-- Spans of an LLM app, five to a trace, one of them an LLM call: numbers {first:UInt64} to {first:UInt64} +
-- {count:UInt64} of {total:UInt64}, evenly over the 30 days before {until:DateTime}. Each follows from its number alone.
-- 16 sessions of four traces run at a time; later turns hold the earlier ones in their prompt.
INSERT INTO otel_traces (
    Timestamp, TraceId, SpanId, ParentSpanId, SpanName, SpanKind, ServiceName, ResourceAttributes, ScopeName, ScopeVersion,
    SpanAttributes, Duration, StatusCode, StatusMessage
)
WITH
    (what, of) -> sipHash64(what, of) AS chance,
    (what, of) -> toFloat64(sipHash64(what, of)) / 18446744073709551616 AS share,
    [
        'refund', 'order', 'shipping', 'invoice', 'delay', 'manual', 'please', 'model', 'answer', 'policy', 'account', 'the',
        'a', 'is', 'for', 'of', 'to', 'how', 'what', 'when', 'reset', 'password', 'price', 'plan', 'cancel', 'upgrade', 'error',
        'device', 'battery', 'screen', 'return', 'warranty', 'coupon', 'address', 'change', 'email', 'billing', 'support'
    ] AS words,
    (seed, length) -> arrayStringConcat(
        arrayMap(place -> words[1 + sipHash64(seed, place) % length(words)], range(length)), ' '
    ) AS prose,
    number % 5 AS position,
    intDiv(number, 5) AS trace,
    intDiv(trace, 64) * 16 + trace % 16 AS session,
    intDiv(trace, 16) % 4 AS turn,
    lower(hex(sipHash128('trace', trace))) AS trace_id,
    place -> lower(hex(sipHash64('span', trace * 5 + place))) AS span_id,
    addNanoseconds(
        toDateTime64({until:DateTime}, 9, 'UTC') - INTERVAL 30 DAY,
        toInt64(2592000000000000 / {total:UInt64} * 5 * trace)
    ) AS began,
    toUInt64(exp(6 + 2.5 * share('latency', trace)) * 1e6) AS call_nanoseconds,
    ['gpt-4o', 'gpt-4o-mini', 'claude-sonnet-4', 'gemini-2.5-flash'][1 + chance('model', session) % 4] AS model,
    ['chat-api', 'chat-api', 'support-bot'][1 + chance('service', session) % 3] AS service_name,
    earlier -> prose(sipHash64('question', session, earlier), 8 + sipHash64('asked', session, earlier) % 40) AS question,
    earlier -> prose(sipHash64('answer', session, earlier), 20 + sipHash64('said', session, earlier) % 120) AS answer,
    (role, content) -> concat('{"role":"', role, '","parts":[{"type":"text","content":"', content, '"}]}') AS message,
    map('session.id', concat('session-', toString(session)), 'user.id', concat('user-', toString(chance('user', session) % 20000)))
        AS of_session
SELECT
    addNanoseconds(began, position * 3000000) AS Timestamp,
    trace_id,
    span_id(position),
    if(position = 0, '', span_id(position = 1 ? 0 : 1)),
    ['POST /chat', 'agent', 'retrieve', concat('chat ', model), 'POST'][1 + position],
    ['Server', 'Internal', 'Client', 'Client', 'Client'][1 + position],
    service_name,
    map(
        'service.name', service_name, 'service.version', '1.4.2', 'telemetry.sdk.language', 'python',
        'telemetry.sdk.name', 'opentelemetry', 'telemetry.sdk.version', '1.38.0', 'deployment.environment.name', 'production'
    ),
    ['opentelemetry.instrumentation.fastapi', 'agents', 'opentelemetry.instrumentation.qdrant', 'opentelemetry.util.genai.handler', 'opentelemetry.instrumentation.httpx'][1 + position],
    '0.60b0',
    if(
        position != 3,
        mapConcat(of_session, map(
            'http.request.method', 'POST', 'url.path', '/chat', 'http.response.status_code', '200',
            'server.address', 'api.internal', 'network.peer.address', concat('10.0.0.', toString(chance('peer', trace) % 250)),
            'network.protocol.version', '1.1', 'user_agent.original', 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36'
        )),
        mapConcat(of_session, map(
            'gen_ai.operation.name', 'chat',
            'gen_ai.provider.name', ['openai', 'openai', 'anthropic', 'gcp.gemini'][1 + chance('model', session) % 4],
            'gen_ai.request.model', model,
            'gen_ai.response.model', concat(model, '-2026-01-01'),
            'gen_ai.response.id', concat('chatcmpl-', toString(chance('response', trace))),
            'gen_ai.usage.input_tokens', toString(50 + 200 * turn + chance('input', trace) % 900),
            'gen_ai.usage.output_tokens', toString(20 + chance('output', trace) % 500),
            'gen_ai.request.temperature', '0.7',
            'gen_ai.response.finish_reasons', '["stop"]',
            'gen_ai.prompt.name', 'support',
            'gen_ai.prompt.version', concat('v', toString(1 + intDiv(number * 5, {total:UInt64}))),
            'gen_ai.input.messages', concat(
                '[', message('system', 'You are a support agent. Answer in one paragraph.'), ',',
                arrayStringConcat(arrayMap(
                    earlier -> concat(message('user', question(earlier)), ',', message('assistant', answer(earlier)), ','),
                    range(turn)
                )),
                message('user', question(turn)), ']'
            ),
            'gen_ai.output.messages', concat('[', message('assistant', answer(turn)), ']')
        ))
    ),
    intDiv(call_nanoseconds * (5 - position), 4),
    if(chance('error', trace) % 50 = 0 AND position < 4, 'Error', 'Unset'),
    ''
FROM numbers({first:UInt64}, {count:UInt64})
