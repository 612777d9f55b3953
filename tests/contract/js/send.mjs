// Sends spans and log records with the official JavaScript exporters, one way a run:
//   node send.mjs {grpc|http-json|http-protobuf} {none|gzip} <endpoint> <test id>
// Prints the trace's id. Ends with 1 if an export failed.
// NODE_MODULES names the folder that package-lock.json was installed into.
import { createRequire } from "node:module";

const [way, compression, endpoint, testId] = process.argv.slice(2);
const require = createRequire(`${process.env.NODE_MODULES}/`);

const api = require("@opentelemetry/api");
const { SeverityNumber } = require("@opentelemetry/api-logs");
const { resourceFromAttributes } = require("@opentelemetry/resources");
const { BasicTracerProvider, SimpleSpanProcessor } = require("@opentelemetry/sdk-trace-base");
const { LoggerProvider, SimpleLogRecordProcessor } = require("@opentelemetry/sdk-logs");

const packages = { grpc: "grpc", "http-json": "http", "http-protobuf": "proto" };
const { OTLPTraceExporter } = require(`@opentelemetry/exporter-trace-otlp-${packages[way]}`);
const { OTLPLogExporter } = require(`@opentelemetry/exporter-logs-otlp-${packages[way]}`);

const failures = [];
api.diag.setLogger(
  { error: (...said) => failures.push(said), warn: (...said) => failures.push(said), info() {}, debug() {}, verbose() {} },
  api.DiagLogLevel.WARN,
);

function options(path) {
  const url = way === "grpc" ? endpoint : `${endpoint}${path}`;
  return { url, compression };
}

const resource = resourceFromAttributes({ "service.name": `js-${testId}`, "resource.list": ["a", "b"] });
const attributes = {
  "test.id": testId,
  text: "é\n'\"\u2028 🙂",
  empty: "",
  integer: -7,
  large: Number.MAX_SAFE_INTEGER,
  double: 0.5,
  yes: true,
  no: false,
  texts: ["a", ""],
  integers: [1, -2],
  doubles: [0.5, 1e21],
  booleans: [true, false],
};

const tracing = new BasicTracerProvider({
  resource,
  spanProcessors: [new SimpleSpanProcessor(new OTLPTraceExporter(options("/v1/traces")))],
});
const tracer = tracing.getTracer("contract", "1.0");
const parent = tracer.startSpan("a parent", { kind: api.SpanKind.SERVER, attributes });
parent.addEvent("happened", { n: 1, list: ["x"] });
const context = api.trace.setSpan(api.context.active(), parent);
const link = { context: parent.spanContext(), attributes: { why: "test" } };
const child = tracer.startSpan("b child", { kind: api.SpanKind.CLIENT, links: [link] }, context);
child.setStatus({ code: api.SpanStatusCode.ERROR, message: "it broke" });
child.end();
parent.end();

const logging = new LoggerProvider({
  resource,
  processors: [new SimpleLogRecordProcessor({ exporter: new OTLPLogExporter(options("/v1/logs")) })],
});
const logger = logging.getLogger("contract", "1.0");
logger.emit({
  body: "a text", severityNumber: SeverityNumber.WARN, severityText: "WARN",
  attributes: { "test.id": testId, bytes: new Uint8Array([0, 255]) }, context,
});
logger.emit({
  body: { b: [1, { c: null }], a: "x" }, eventName: "an.event",
  attributes: { "test.id": testId, nested: { k: [1, [2]] } },
});

await tracing.forceFlush();
await logging.forceFlush();
await tracing.shutdown();
await logging.shutdown();
if (failures.length) {
  console.error(failures);
  process.exit(1);
}
console.log(parent.spanContext().traceId);
