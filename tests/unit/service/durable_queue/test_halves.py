from otel_feedback.service.durable_queue.halves import halves_of
from otel_feedback.service.durable_queue.segment import encode_record

RECORDS = [encode_record(bytes([number]) * number, number) for number in range(1, 8)]
NAME = "1764031557000000000-deadbeef"


def all_parts(name: str, data: bytes) -> dict[str, bytes]:
    """Everything that can come of a segment."""
    parts = {}
    for half, content in halves_of(name, data):
        parts |= {half: content, **all_parts(half, content)}
    return parts


def test_halves_hold_the_records_in_order_and_are_named_after_their_place():
    assert halves_of(NAME, b"".join(RECORDS)) == [
        (f"{NAME}.0-3", b"".join(RECORDS[:3])),
        (f"{NAME}.3-7", b"".join(RECORDS[3:])),
    ]


def test_a_half_of_a_half_is_named_after_its_place_in_the_whole():
    assert halves_of(f"{NAME}.3-7", b"".join(RECORDS[3:])) == [
        (f"{NAME}.3-5", b"".join(RECORDS[3:5])),
        (f"{NAME}.5-7", b"".join(RECORDS[5:])),
    ]


def test_every_part_has_a_name_of_its_own_down_to_single_records():
    parts = all_parts(NAME, b"".join(RECORDS))
    assert len(parts) == 2 * len(RECORDS) - 2
    assert {f"{NAME}.{place}-{place + 1}": record for place, record in enumerate(RECORDS)}.items() <= parts.items()


def test_a_half_that_lost_a_record_gives_other_names_than_its_own():
    (first, _), (second, _) = halves_of(f"{NAME}.4-7", b"".join(RECORDS[4:6]))
    assert (first, second) == (f"{NAME}.4-5", f"{NAME}.5-6")


def test_one_record_has_no_halves_and_damage_counts_as_one():
    assert halves_of(NAME, RECORDS[0]) == halves_of(NAME, b"") == halves_of(NAME, b"damage") == []
    damaged = bytearray(RECORDS[3])
    damaged[2] ^= 1
    assert halves_of(NAME, RECORDS[1] + damaged + RECORDS[2])[1][1] == damaged + RECORDS[2]
