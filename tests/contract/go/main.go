// Sends spans and log records with the official Go exporters, one way a run: {grpc|http-protobuf} {none|gzip} endpoint
// test-id. Prints the trace's id. Ends with 1 if an export failed, or was answered with a partial success.
package main

import (
	"context"
	"fmt"
	"math"
	"os"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploggrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

func main() {
	way, compression, endpoint, testID := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
	ctx := context.Background()
	otel.SetErrorHandler(otel.ErrorHandlerFunc(fail))
	spans, logs := exporters(ctx, way, compression, endpoint)
	about := resource.NewSchemaless(
		attribute.String("service.name", "go-"+testID), attribute.StringSlice("resource.list", []string{"a", "b"}))

	tracing := sdktrace.NewTracerProvider(sdktrace.WithResource(about), sdktrace.WithSyncer(spans))
	tracer := tracing.Tracer("contract", trace.WithInstrumentationVersion("1.0"))
	within, parent := tracer.Start(ctx, "a parent", trace.WithSpanKind(trace.SpanKindServer))
	parent.SetAttributes(
		attribute.String("test.id", testID),
		attribute.String("text", "é\n'\"\u2028 🙂"),
		attribute.String("empty", ""),
		attribute.Int("integer", -7),
		attribute.Int64("large", math.MinInt64),
		attribute.Float64("double", 0.5),
		attribute.Bool("yes", true),
		attribute.Bool("no", false),
		attribute.StringSlice("texts", []string{"a", ""}),
		attribute.IntSlice("integers", []int{1, -2}),
		attribute.Float64Slice("doubles", []float64{0.5, 1e21}),
		attribute.BoolSlice("booleans", []bool{true, false}))
	parent.AddEvent("happened", trace.WithAttributes(
		attribute.Int("n", 1), attribute.StringSlice("list", []string{"x"})))
	link := trace.Link{SpanContext: parent.SpanContext(), Attributes: []attribute.KeyValue{attribute.String("why", "test")}}
	_, child := tracer.Start(within, "b child", trace.WithSpanKind(trace.SpanKindClient), trace.WithLinks(link))
	child.SetStatus(codes.Error, "it broke")
	child.End()
	parent.End()
	check(tracing.Shutdown(ctx))

	logging := sdklog.NewLoggerProvider(
		sdklog.WithResource(about), sdklog.WithProcessor(sdklog.NewSimpleProcessor(logs)))
	logger := logging.Logger("contract")
	var text, event log.Record
	text.SetBody(attribute.StringValue("a text"))
	text.SetSeverity(log.SeverityWarn)
	text.SetSeverityText("WARN")
	text.AddAttributes(attribute.String("test.id", testID), attribute.ByteSlice("bytes", []byte{0, 255}))
	logger.Emit(within, text)
	event.SetEventName("an.event")
	nothing := attribute.KeyValue{Key: "c"}
	event.SetBody(attribute.MapValue(
		attribute.Slice("b", attribute.IntValue(1), attribute.MapValue(nothing)), attribute.String("a", "x")))
	event.AddAttributes(
		attribute.String("test.id", testID),
		attribute.Map("nested", attribute.Slice("k", attribute.IntValue(1), attribute.SliceValue(attribute.IntValue(2)))))
	logger.Emit(ctx, event)
	check(logging.Shutdown(ctx))
	fmt.Println(parent.SpanContext().TraceID())
}

func exporters(ctx context.Context, way, compression, endpoint string) (sdktrace.SpanExporter, sdklog.Exporter) {
	if way == "grpc" {
		spanOptions := []otlptracegrpc.Option{otlptracegrpc.WithEndpointURL(endpoint)}
		logOptions := []otlploggrpc.Option{otlploggrpc.WithEndpointURL(endpoint)}
		if compression == "gzip" {
			spanOptions = append(spanOptions, otlptracegrpc.WithCompressor("gzip"))
			logOptions = append(logOptions, otlploggrpc.WithCompressor("gzip"))
		}
		spans, err := otlptracegrpc.New(ctx, spanOptions...)
		check(err)
		logs, err := otlploggrpc.New(ctx, logOptions...)
		check(err)
		return spans, logs
	}
	spanOptions := []otlptracehttp.Option{otlptracehttp.WithEndpointURL(endpoint + "/v1/traces")}
	logOptions := []otlploghttp.Option{otlploghttp.WithEndpointURL(endpoint + "/v1/logs")}
	if compression == "gzip" {
		spanOptions = append(spanOptions, otlptracehttp.WithCompression(otlptracehttp.GzipCompression))
		logOptions = append(logOptions, otlploghttp.WithCompression(otlploghttp.GzipCompression))
	}
	spans, err := otlptracehttp.New(ctx, spanOptions...)
	check(err)
	logs, err := otlploghttp.New(ctx, logOptions...)
	check(err)
	return spans, logs
}

func check(err error) {
	if err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
