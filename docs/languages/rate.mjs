// One LLM call and its rating, by hand, with OpenTelemetry's own packages.
//   npm install @opentelemetry/api @opentelemetry/api-logs @opentelemetry/resources @opentelemetry/sdk-trace-base \
//     @opentelemetry/sdk-logs @opentelemetry/exporter-trace-otlp-proto @opentelemetry/exporter-logs-otlp-proto
//   node rate.mjs
import { randomBytes } from "node:crypto";
import { ROOT_CONTEXT, SpanKind, TraceFlags, trace } from "@opentelemetry/api";
import { OTLPLogExporter } from "@opentelemetry/exporter-logs-otlp-proto";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchLogRecordProcessor, LoggerProvider } from "@opentelemetry/sdk-logs";
import { BasicTracerProvider, BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";

// The exporters read OTEL_EXPORTER_OTLP_ENDPOINT (default http://localhost:4318) and OTEL_EXPORTER_OTLP_HEADERS.
const resource = resourceFromAttributes({ "service.name": "bakery-chat" });
const spans = new BasicTracerProvider({ resource, spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())] });
const logs = new LoggerProvider({
  resource,
  processors: [new BatchLogRecordProcessor({ exporter: new OTLPLogExporter() })],
});
const tracer = spans.getTracer("bakery");
const logger = logs.getLogger("bakery");

/** Ask the model within a span of the GenAI conventions; the ids say later which answer is rated. */
function answer(question) {
  const span = tracer.startSpan("chat gpt-4o-mini", { kind: SpanKind.CLIENT });
  const text = "Two loaves of rye."; // your client's call is here
  span.setAttributes({
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o-mini",
    "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
    "gen_ai.response.id": `chatcmpl-${randomBytes(8).toString("hex")}`,
    "gen_ai.usage.input_tokens": 12,
    "gen_ai.usage.output_tokens": 6,
    "gen_ai.conversation.id": "conversation-42",
    "gen_ai.input.messages": JSON.stringify([{ role: "user", parts: [{ type: "text", content: question }] }]),
    "gen_ai.output.messages": JSON.stringify([
      { role: "assistant", parts: [{ type: "text", content: text }], finish_reason: "stop" },
    ]),
  });
  span.end();
  return { traceId: span.spanContext().traceId, spanId: span.spanContext().spanId };
}

/** Record a thumb on the answer with these ids: minutes or days later, in this process or another one. */
function rate({ traceId, spanId }, isGood, comment, reasons, rater) {
  const attributes = {
    "gen_ai.evaluation.name": "thumbs",
    "gen_ai.evaluation.score.value": isGood ? 1 : 0,
    "gen_ai.evaluation.score.label": isGood ? "positive" : "negative",
    "gen_ai.evaluation.explanation": comment,
    "gen_ai.conversation.id": "conversation-42",
    "enduser.pseudo.id": rater,
    "otel_feedback.id": uuid7(), // the same on span and log record: together they are one rating
    "otel_feedback.source": "end_user",
    "otel_feedback.scope": "span",
    "otel_feedback.reasons": reasons,
  };
  const rated = { traceId, spanId, traceFlags: TraceFlags.SAMPLED, isRemote: true };
  const context = trace.setSpanContext(ROOT_CONTEXT, rated);
  const now = Date.now();
  const options = { kind: SpanKind.INTERNAL, startTime: now, links: [{ context: rated }], attributes };
  const carrier = tracer.startSpan("user_feedback thumbs", options, context);
  carrier.addEvent("gen_ai.evaluation.result", attributes, now);
  carrier.end(now);
  logger.emit({ eventName: "gen_ai.evaluation.result", timestamp: now, attributes, context });
}

function uuid7() {
  const time = Date.now().toString(16).padStart(12, "0");
  const random = randomBytes(9).toString("hex");
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(0, 3)}-8${random.slice(3, 6)}-${random.slice(6)}`;
}

const ids = answer("Which bread is left?");
rate(ids, false, "There was none.", ["wrong"], "u-7");
await spans.shutdown();
await logs.shutdown();
console.log(ids.traceId);
