import itertools
from pathlib import Path

import pytest
from google.protobuf import proto
from google.protobuf.unknown_fields import UnknownFieldSet
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.support.otlp import trace_request

from otel_feedback.service.durable_queue.segment import Damage, Record, encode_record, scan, unchecked_bodies

ARRIVAL = 1_700_000_000_000_000_000


@given(st.lists(st.binary(max_size=300)))
def test_what_is_encoded_is_read_back(bodies: list[bytes]):
    data = b"".join(encode_record(body, ARRIVAL + index) for index, body in enumerate(bodies))
    records = list(scan(data))
    assert all(isinstance(record, Record) for record in records)
    assert [(record.body, record.arrival_unix_nano) for record in records if isinstance(record, Record)] == [
        (body, ARRIVAL + index) for index, body in enumerate(bodies)
    ]


def test_a_segment_is_a_file_of_delimited_otlp_requests(tmp_path: Path):
    requests = [trace_request({"n": number}) for number in range(3)]
    path = tmp_path / "segment"
    path.write_bytes(b"".join(encode_record(request.SerializeToString(), ARRIVAL) for request in requests))
    with path.open("rb") as file:
        for request in requests:
            read = proto.parse_length_prefixed(ExportTraceServiceRequest, file)
            assert read.resource_spans == request.resource_spans
            assert {field.field_number: field.data for field in UnknownFieldSet(read)}[15000] == ARRIVAL
        assert file.read() == b""


def test_a_tail_torn_at_any_byte_is_told_from_the_sound_records_before_it():
    first, last = encode_record(b"first" * 10, ARRIVAL), encode_record(b"last" * 50, ARRIVAL)
    for cut in range(1, len(last)):
        sound, torn = scan(first + last[:cut])
        assert isinstance(sound, Record)
        assert isinstance(torn, Damage)
        assert torn.is_torn
        assert (torn.start, torn.end) == (len(first), len(first) + cut)


@pytest.mark.parametrize("bit", [0, 3, 7])
def test_a_flipped_bit_anywhere_is_found(bit: int):
    records = [encode_record(bytes([65 + number]) * 150, ARRIVAL) for number in range(3)]
    data = b"".join(records)
    middle = range(len(records[0]), len(records[0]) + len(records[1]))
    for position in middle:
        flipped = bytearray(data)
        flipped[position] ^= 1 << bit
        found = list(scan(bytes(flipped)))
        assert any(isinstance(each, Damage) for each in found)
        assert found[0] == next(scan(data))
        assert (found[0].start, found[-1].end) == (0, len(data))
        assert all(before.end == after.start for before, after in itertools.pairwise(found))


def test_what_follows_a_damaged_body_is_saved():
    first, middle, last = (encode_record(bytes([65 + number]) * 150, ARRIVAL) for number in range(3))
    flipped = bytearray(middle)
    flipped[50] ^= 1
    found = list(scan(first + bytes(flipped) + last))
    assert [type(each) for each in found] == [Record, Damage, Record]
    assert found[2].body == b"C" * 150


@pytest.mark.parametrize("bit", [0, 3, 6, 7])
def test_a_record_with_a_wrong_length_is_damaged_not_torn_and_what_follows_is_saved(bit: int):
    records = [encode_record(bytes([65 + number]) * 150, ARRIVAL) for number in range(3)]
    for wrong in range(3):
        data = bytearray(b"".join(records))
        data[sum(map(len, records[:wrong]))] ^= 1 << bit
        found = list(scan(bytes(data)))
        assert [type(each) for each in found] == [Damage if number == wrong else Record for number in range(3)]
        assert not any(isinstance(each, Damage) and each.is_torn for each in found)


def test_bodies_are_found_without_looking_at_checksums_even_behind_a_wrong_length():
    bodies = [bytes([65 + number]) * 150 for number in range(3)]
    records = [encode_record(body, ARRIVAL) for body in bodies]
    assert [bytes(each) for each in unchecked_bodies(b"".join(records))] == bodies
    wrong = bytes([records[1][0] ^ 1]) + records[1][1:]
    assert [bytes(each) for each in unchecked_bodies(records[0] + wrong + records[2])] == [bodies[0], bodies[2]]
    assert [bytes(each) for each in unchecked_bodies(records[0] + records[1][:20])] == bodies[:1]


@given(st.binary(max_size=200))
def test_garbage_never_passes_for_a_record(garbage: bytes):
    assert not any(isinstance(found, Record) for found in scan(garbage))
