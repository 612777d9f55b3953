// One LLM call and its rating, by hand, with OpenTelemetry's own artifacts: io.opentelemetry:opentelemetry-sdk and
// io.opentelemetry:opentelemetry-exporter-otlp.
//   java -cp 'libraries/*' Rate.java
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.logs.Logger;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.TraceFlags;
import io.opentelemetry.api.trace.TraceState;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.exporter.otlp.http.logs.OtlpHttpLogRecordExporter;
import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporter;
import io.opentelemetry.sdk.logs.SdkLoggerProvider;
import io.opentelemetry.sdk.logs.export.BatchLogRecordProcessor;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.export.BatchSpanProcessor;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;

public final class Rate {
  private final Tracer tracer;
  private final Logger logger;

  private Rate(Tracer tracer, Logger logger) {
    this.tracer = tracer;
    this.logger = logger;
  }

  /** Ask the model within a span of the GenAI conventions; the context says later which answer is rated. */
  SpanContext answer(String question) {
    Span span = tracer.spanBuilder("chat gpt-4o-mini").setSpanKind(SpanKind.CLIENT).startSpan();
    String text = "Two loaves of rye."; // your client's call is here
    span.setAttribute("gen_ai.operation.name", "chat");
    span.setAttribute("gen_ai.provider.name", "openai");
    span.setAttribute("gen_ai.request.model", "gpt-4o-mini");
    span.setAttribute("gen_ai.response.model", "gpt-4o-mini-2024-07-18");
    span.setAttribute("gen_ai.response.id", "chatcmpl-" + UUID.randomUUID());
    span.setAttribute("gen_ai.usage.input_tokens", 12);
    span.setAttribute("gen_ai.usage.output_tokens", 6);
    span.setAttribute("gen_ai.conversation.id", "conversation-42");
    // Take your JSON library for texts that are not constants.
    span.setAttribute("gen_ai.input.messages",
        "[{\"role\": \"user\", \"parts\": [{\"type\": \"text\", \"content\": \"" + question + "\"}]}]");
    span.setAttribute("gen_ai.output.messages",
        "[{\"role\": \"assistant\", \"parts\": [{\"type\": \"text\", \"content\": \"" + text
            + "\"}], \"finish_reason\": \"stop\"}]");
    span.end();
    return span.getSpanContext();
  }

  /** Record a thumb on the answer with these ids: minutes or days later, in this process or another one. */
  void rate(String traceId, String spanId, boolean isGood, String comment, List<String> reasons, String rater) {
    Attributes attributes = Attributes.builder()
        .put("gen_ai.evaluation.name", "thumbs")
        .put("gen_ai.evaluation.score.value", isGood ? 1.0 : 0.0)
        .put("gen_ai.evaluation.score.label", isGood ? "positive" : "negative")
        .put("gen_ai.evaluation.explanation", comment)
        .put("gen_ai.conversation.id", "conversation-42")
        .put("enduser.pseudo.id", rater)
        .put("otel_feedback.id", uuid7()) // the same on span and log record: together they are one rating
        .put("otel_feedback.source", "end_user")
        .put("otel_feedback.scope", "span")
        .put(AttributeKey.stringArrayKey("otel_feedback.reasons"), reasons)
        .build();
    SpanContext rated = SpanContext.createFromRemoteParent(
        traceId, spanId, TraceFlags.getSampled(), TraceState.getDefault());
    Context context = Context.root().with(Span.wrap(rated));
    Instant now = Instant.now();
    Span carrier = tracer.spanBuilder("user_feedback thumbs")
        .setParent(context)
        .setSpanKind(SpanKind.INTERNAL)
        .setStartTimestamp(now)
        .addLink(rated)
        .setAllAttributes(attributes)
        .startSpan();
    carrier.addEvent("gen_ai.evaluation.result", attributes, now);
    carrier.end(now);
    logger.logRecordBuilder()
        .setEventName("gen_ai.evaluation.result")
        .setTimestamp(now)
        .setContext(context)
        .setAllAttributes(attributes)
        .emit();
  }

  private static String uuid7() {
    long high = System.currentTimeMillis() << 16 | 0x7000 | ThreadLocalRandom.current().nextInt(0x1000);
    return new UUID(high, ThreadLocalRandom.current().nextLong() >>> 2 | Long.MIN_VALUE).toString();
  }

  public static void main(String[] arguments) {
    // Add .addHeader("Authorization", "Bearer ...") to both exporters where the service asks for a token.
    String endpoint = System.getenv().getOrDefault("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318");
    Resource resource = Resource.create(Attributes.of(AttributeKey.stringKey("service.name"), "bakery-chat"));
    try (SdkTracerProvider spans = SdkTracerProvider.builder()
            .setResource(resource)
            .addSpanProcessor(BatchSpanProcessor.builder(
                OtlpHttpSpanExporter.builder().setEndpoint(endpoint + "/v1/traces").build()).build())
            .build();
        SdkLoggerProvider logs = SdkLoggerProvider.builder()
            .setResource(resource)
            .addLogRecordProcessor(BatchLogRecordProcessor.builder(
                OtlpHttpLogRecordExporter.builder().setEndpoint(endpoint + "/v1/logs").build()).build())
            .build()) {
      Rate bakery = new Rate(spans.get("bakery"), logs.get("bakery"));
      SpanContext answer = bakery.answer("Which bread is left?");
      bakery.rate(answer.getTraceId(), answer.getSpanId(), false, "There was none.", List.of("wrong"), "u-7");
      System.out.println(answer.getTraceId());
    }
  }
}
