// One LLM call and its rating, by hand, with OpenTelemetry's own modules.
//
//	go mod init bakery && go mod tidy && go run .
package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	otellog "go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

type bakery struct {
	tracer trace.Tracer
	logger otellog.Logger
}

// answer asks the model within a span of the GenAI conventions; the context says later which answer is rated.
func (b bakery) answer(ctx context.Context, question string) trace.SpanContext {
	_, span := b.tracer.Start(ctx, "chat gpt-4o-mini", trace.WithSpanKind(trace.SpanKindClient))
	defer span.End()
	text := "Two loaves of rye." // your client's call is here
	span.SetAttributes(
		attribute.String("gen_ai.operation.name", "chat"),
		attribute.String("gen_ai.provider.name", "openai"),
		attribute.String("gen_ai.request.model", "gpt-4o-mini"),
		attribute.String("gen_ai.response.model", "gpt-4o-mini-2024-07-18"),
		attribute.String("gen_ai.response.id", "chatcmpl-"+rand.Text()),
		attribute.Int("gen_ai.usage.input_tokens", 12),
		attribute.Int("gen_ai.usage.output_tokens", 6),
		attribute.String("gen_ai.conversation.id", "conversation-42"),
		attribute.String("gen_ai.input.messages", message("user", question, nil)),
		attribute.String("gen_ai.output.messages", message("assistant", text, "stop")),
	)
	return span.SpanContext()
}

// rate records a thumb on the answer with these ids: minutes or days later, in this process or another one.
func (b bakery) rate(ctx context.Context, traceID trace.TraceID, spanID trace.SpanID, isGood bool, comment string, reasons []string, rater string) {
	value, label := 0.0, "negative"
	if isGood {
		value, label = 1.0, "positive"
	}
	attributes := []attribute.KeyValue{
		attribute.String("gen_ai.evaluation.name", "thumbs"),
		attribute.Float64("gen_ai.evaluation.score.value", value),
		attribute.String("gen_ai.evaluation.score.label", label),
		attribute.String("gen_ai.evaluation.explanation", comment),
		attribute.String("gen_ai.conversation.id", "conversation-42"),
		attribute.String("enduser.pseudo.id", rater),
		attribute.String("otel_feedback.id", uuid7()), // the same on span and log record: together they are one rating
		attribute.String("otel_feedback.source", "end_user"),
		attribute.String("otel_feedback.scope", "span"),
		attribute.StringSlice("otel_feedback.reasons", reasons),
	}
	rated := trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: traceID, SpanID: spanID, TraceFlags: trace.FlagsSampled, Remote: true})
	ctx = trace.ContextWithRemoteSpanContext(ctx, rated)
	now := time.Now()
	_, carrier := b.tracer.Start(ctx, "user_feedback thumbs", trace.WithTimestamp(now),
		trace.WithLinks(trace.Link{SpanContext: rated}), trace.WithAttributes(attributes...))
	carrier.AddEvent("gen_ai.evaluation.result", trace.WithTimestamp(now), trace.WithAttributes(attributes...))
	carrier.End(trace.WithTimestamp(now))
	var record otellog.Record
	record.SetEventName("gen_ai.evaluation.result")
	record.SetTimestamp(now)
	record.AddAttributes(attributes...)
	b.logger.Emit(ctx, record)
}

func message(role, text string, finishReason any) string {
	part := map[string]string{"type": "text", "content": text}
	content := map[string]any{"role": role, "parts": []any{part}}
	if finishReason != nil {
		content["finish_reason"] = finishReason
	}
	encoded, err := json.Marshal([]any{content})
	check(err)
	return string(encoded)
}

func uuid7() string {
	random := make([]byte, 10)
	_, _ = rand.Read(random)
	stamp := fmt.Sprintf("%012x", time.Now().UnixMilli())
	digits := fmt.Sprintf("%x", random)
	return stamp[:8] + "-" + stamp[8:] + "-7" + digits[:3] + "-8" + digits[3:6] + "-" + digits[6:18]
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func main() {
	ctx := context.Background()
	// The exporters read OTEL_EXPORTER_OTLP_ENDPOINT and OTEL_EXPORTER_OTLP_HEADERS.
	spanExporter, err := otlptracehttp.New(ctx)
	check(err)
	logExporter, err := otlploghttp.New(ctx)
	check(err)
	about := resource.NewSchemaless(attribute.String("service.name", "bakery-chat"))
	spans := sdktrace.NewTracerProvider(sdktrace.WithResource(about), sdktrace.WithBatcher(spanExporter))
	logs := sdklog.NewLoggerProvider(
		sdklog.WithResource(about), sdklog.WithProcessor(sdklog.NewBatchProcessor(logExporter)))

	b := bakery{spans.Tracer("bakery"), logs.Logger("bakery")}
	answer := b.answer(ctx, "Which bread is left?")
	b.rate(ctx, answer.TraceID(), answer.SpanID(), false, "There was none.", []string{"wrong"}, "u-7")
	check(spans.Shutdown(ctx))
	check(logs.Shutdown(ctx))
	fmt.Println(answer.TraceID())
}
