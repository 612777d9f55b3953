import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.common.KeyValue;
import io.opentelemetry.api.common.Value;
import io.opentelemetry.api.logs.Logger;
import io.opentelemetry.api.logs.Severity;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.exporter.otlp.http.logs.OtlpHttpLogRecordExporter;
import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporter;
import io.opentelemetry.exporter.otlp.logs.OtlpGrpcLogRecordExporter;
import io.opentelemetry.exporter.otlp.trace.OtlpGrpcSpanExporter;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.logs.SdkLoggerProvider;
import io.opentelemetry.sdk.logs.export.LogRecordExporter;
import io.opentelemetry.sdk.logs.export.SimpleLogRecordProcessor;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;

/**
 * Sends spans and log records with the official Java exporters, one way a run: {grpc|http-protobuf} {none|gzip}
 * endpoint test-id. Prints the trace's id. Ends with 1 if an export failed or was warned about.
 */
public final class Send {
  private static final AtomicBoolean WARNED = new AtomicBoolean();

  public static void main(String[] arguments) {
    String way = arguments[0];
    String compression = arguments[1];
    String endpoint = arguments[2];
    String testId = arguments[3];
    noteWarnings();

    Resource resource = Resource.getDefault().merge(Resource.create(Attributes.of(
        AttributeKey.stringKey("service.name"), "java-" + testId,
        AttributeKey.stringArrayKey("resource.list"), List.of("a", "b"))));
    SdkTracerProvider tracing = SdkTracerProvider.builder()
        .setResource(resource)
        .addSpanProcessor(SimpleSpanProcessor.create(spanExporter(way, compression, endpoint)))
        .build();
    SdkLoggerProvider logging = SdkLoggerProvider.builder()
        .setResource(resource)
        .addLogRecordProcessor(SimpleLogRecordProcessor.create(logExporter(way, compression, endpoint)))
        .build();

    Span parent = sendSpans(tracing.tracerBuilder("contract").setInstrumentationVersion("1.0").build(), testId);
    sendLogs(logging.loggerBuilder("contract").build(), testId, Context.root().with(parent));
    boolean isSent = done("spans", tracing.forceFlush()) & done("log records", logging.forceFlush());
    tracing.close();
    logging.close();
    if (!isSent || WARNED.get()) {
      System.exit(1);
    }
    System.out.println(parent.getSpanContext().getTraceId());
  }

  private static Span sendSpans(Tracer tracer, String testId) {
    Span parent = tracer.spanBuilder("a parent").setSpanKind(SpanKind.SERVER).startSpan();
    parent.setAttribute("test.id", testId);
    parent.setAttribute("text", "é\n'\"\u2028 🙂");
    parent.setAttribute("empty", "");
    parent.setAttribute("integer", -7);
    parent.setAttribute("large", Long.MIN_VALUE);
    parent.setAttribute("double", 0.5);
    parent.setAttribute("yes", true);
    parent.setAttribute("no", false);
    parent.setAttribute(AttributeKey.stringArrayKey("texts"), List.of("a", ""));
    parent.setAttribute(AttributeKey.longArrayKey("integers"), List.of(1L, -2L));
    parent.setAttribute(AttributeKey.doubleArrayKey("doubles"), List.of(0.5, 1e21));
    parent.setAttribute(AttributeKey.booleanArrayKey("booleans"), List.of(true, false));
    parent.addEvent("happened", Attributes.of(
        AttributeKey.longKey("n"), 1L, AttributeKey.stringArrayKey("list"), List.of("x")));
    Span child = tracer.spanBuilder("b child")
        .setParent(Context.root().with(parent))
        .setSpanKind(SpanKind.CLIENT)
        .addLink(parent.getSpanContext(), Attributes.of(AttributeKey.stringKey("why"), "test"))
        .startSpan();
    child.setStatus(StatusCode.ERROR, "it broke");
    child.end();
    parent.end();
    return parent;
  }

  private static void sendLogs(Logger logger, String testId, Context context) {
    logger.logRecordBuilder()
        .setContext(context)
        .setBody("a text")
        .setSeverity(Severity.WARN)
        .setSeverityText("WARN")
        .setAttribute(AttributeKey.stringKey("test.id"), testId)
        .setAttribute(AttributeKey.valueKey("bytes"), Value.of(new byte[] {0, (byte) 255}))
        .emit();
    logger.logRecordBuilder()
        .setEventName("an.event")
        .setBody(Value.of(
            KeyValue.of("b", Value.of(Value.of(1), Value.of(KeyValue.of("c", Value.empty())))),
            KeyValue.of("a", Value.of("x"))))
        .setAttribute(AttributeKey.stringKey("test.id"), testId)
        .setAttribute(AttributeKey.valueKey("nested"),
            Value.of(KeyValue.of("k", Value.of(Value.of(1), Value.of(Value.of(2))))))
        .emit();
  }

  private static SpanExporter spanExporter(String way, String compression, String endpoint) {
    return way.equals("grpc")
        ? OtlpGrpcSpanExporter.builder().setEndpoint(endpoint).setCompression(compression).build()
        : OtlpHttpSpanExporter.builder().setEndpoint(endpoint + "/v1/traces").setCompression(compression).build();
  }

  private static LogRecordExporter logExporter(String way, String compression, String endpoint) {
    return way.equals("grpc")
        ? OtlpGrpcLogRecordExporter.builder().setEndpoint(endpoint).setCompression(compression).build()
        : OtlpHttpLogRecordExporter.builder().setEndpoint(endpoint + "/v1/logs").setCompression(compression).build();
  }

  private static boolean done(String what, CompletableResultCode result) {
    result.join(60, TimeUnit.SECONDS);
    if (!result.isSuccess()) {
      String how = result.isDone() ? "failed: " + result.getFailureThrowable() : "did not end";
      System.err.println("The export of " + what + " " + how);
    }
    return result.isSuccess();
  }

  /** The exporters tell of a failed export, and of a partial success, only in their log. */
  private static void noteWarnings() {
    java.util.logging.Logger.getLogger("").addHandler(new Handler() {
      @Override
      public void publish(LogRecord record) {
        if (record.getLevel().intValue() >= Level.WARNING.intValue()) {
          WARNED.set(true);
        }
      }

      @Override
      public void flush() {}

      @Override
      public void close() {}
    });
  }

  private Send() {}
}
