"""A rating as an OTLP carrier span, in the form that the SDK sends too (carrier 2 of the wire format)."""

from __future__ import annotations

import os
from typing import Final

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from otel_feedback import semconv
from otel_feedback.rating import Rating, Scope
from otel_feedback.service.rating_log import INSTRUMENTATION_SCOPE, VIA_HTTP, attributes_of, resource

_TRACE_ID_BYTES: Final = 16
_SPAN_ID_BYTES: Final = 8


def export_request(rating: Rating, *, via: str = VIA_HTTP) -> bytes | None:
    """One ExportTraceServiceRequest that holds the rating alone: a span of no length at the moment of the click.

    It is a child of the rated span, with a link to it; of a session or a response id it is the root of a trace of its
    own. None for a whole trace of which no span is known: nothing but a log record is in a trace without a parent.
    """
    target = rating.target
    if target.scope is Scope.TRACE and not target.span_id:
        return None
    attributes = attributes_of(rating, via=via)
    span = Span(
        trace_id=os.urandom(_TRACE_ID_BYTES),
        span_id=os.urandom(_SPAN_ID_BYTES),
        name=semconv.CARRIER_SPAN_PREFIX + rating.name,
        kind=Span.SPAN_KIND_INTERNAL,
        start_time_unix_nano=rating.time_unix_nano,
        end_time_unix_nano=rating.time_unix_nano,
        attributes=attributes,
    )
    if target.scope is not Scope.SESSION and target.trace_id and target.span_id:
        span.trace_id, span.parent_span_id = bytes.fromhex(target.trace_id), bytes.fromhex(target.span_id)
        span.links.add(trace_id=span.trace_id, span_id=span.parent_span_id)
    span.events.add(time_unix_nano=rating.time_unix_nano, name=semconv.EVALUATION_EVENT, attributes=attributes)
    scope_spans = ScopeSpans(scope=InstrumentationScope(name=INSTRUMENTATION_SCOPE), spans=[span])
    request = ExportTraceServiceRequest(resource_spans=[ResourceSpans(resource=resource(), scope_spans=[scope_spans])])
    return request.SerializeToString()
