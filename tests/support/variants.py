"""LLM calls of an experiment: the variant is on the call's span, or on the root span of its trace alone."""

from __future__ import annotations

from dataclasses import dataclass

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.support.otlp import attributes
from tests.support.ratings import Call, only_span


@dataclass(frozen=True)
class VariantCall:
    """The call with this number, by a person of its own."""

    number: int
    at: int
    variant: str = ""
    on_root: bool = False
    version: str = "7"

    @property
    def rated(self) -> Call:
        ids = self.number + 1
        return Call(
            trace_id=b"\x07" + ids.to_bytes(15, "big"),
            span_id=b"\x07" + ids.to_bytes(7, "big"),
            at=self.at,
            session=f"variant-{self.number}",
            parent=b"\x08" + ids.to_bytes(7, "big"),
        )

    def request(self) -> ExportTraceServiceRequest:
        call = self.rated
        request = call.request()
        span = only_span(request)
        tag = attributes({"experiment.variant": self.variant})
        root = request.resource_spans[0].scope_spans[0].spans.add()
        root.trace_id, root.span_id, root.name = call.trace_id, call.parent, "POST /chat"
        root.start_time_unix_nano, root.end_time_unix_nano = call.at - 1000, span.end_time_unix_nano + 1000
        span.attributes.extend(attributes({"gen_ai.prompt.name": "greeter", "gen_ai.prompt.version": self.version}))
        (root if self.on_root else span).attributes.extend(tag)
        return request
