"""Which member of a cluster an answer came from, and which shard a key leads to."""

from __future__ import annotations

from typing import Any

import pytest

from otel_feedback.clickhouse.cluster import Member, is_by, slots_of


def member(shard: int, host: str, port: int = 9000, weight: int = 1) -> Member:
    return Member(shard, weight, host, port, is_local=False)


def answer(shard: int, name: str, port: int = 9000) -> dict[str, Any]:
    return {"Shard": shard, "HostName": name, "FullHostName": f"{name}.example.org", "TcpPort": port, "HttpPort": 8123}


ALONE = member(1, "10.0.0.1", 9440)
FIRST, SECOND = member(2, "b-1.example.org"), member(2, "b-2.example.org")
HERE, THERE = member(3, "127.0.0.1", 9001), member(3, "127.0.0.1", 9002)
MEMBERS = [ALONE, FIRST, SECOND, HERE, THERE]


@pytest.mark.parametrize(
    ("said", "speaker"),
    [
        # A shard of one replica, whatever it calls itself and wherever it is found.
        (answer(1, "a-1", 9000), ALONE),
        # Replicas by name, short or long.
        (answer(2, "b-1"), FIRST),
        (answer(2, "b-2"), SECOND),
        # Replicas on one machine by port.
        (answer(3, "c", 9001), HERE),
        (answer(3, "c", 9002), THERE),
    ],
)
def test_an_answer_is_its_members(said: dict[str, Any], speaker: Member):
    assert [each for each in MEMBERS if is_by(said, each, MEMBERS)] == [speaker]


def test_a_stranger_is_nobody():
    assert not any(is_by(answer(2, "b-3"), each, MEMBERS) for each in MEMBERS)


def test_a_shard_has_as_many_slots_as_it_weighs():
    assert slots_of([member(1, "a", weight=2), member(1, "b", weight=2), member(2, "c", weight=3)]) == [1, 1, 2, 2, 2]
