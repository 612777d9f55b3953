"""Rated conversations, their exports, and a tiny model: what the runs of these tests stand on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
from tests.support.commands import otel_feedback
from tests.support.tiny_model import make_tiny_model
from tests.support.told_conversations import Told, said, store_told

from otel_feedback.clickhouse.connect import connect
from otel_feedback.clickhouse.migrate import migrate
from otel_feedback.settings import Settings

pytest.importorskip("torch", reason="these tests need the extra finetune: run `make test-finetune`")

PERIOD: Final = ("--since", "2026-09-01", "--until", "2026-10-01")
CALLED: Final = {
    "role": "assistant",
    "parts": [{"type": "tool_call", "id": "c1", "name": "find", "arguments": {"order": 7}}],
}
FOUND: Final = {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "on its way"}]}


def conversations() -> list[Told]:
    """Liked answers look something up, disliked ones guess; some have tools and turns before, some a correction."""
    found = []
    for number in range(120):
        parcel, is_liked = number * 37 % 1000, number % 2
        answer = (
            f"I looked it up: parcel {parcel} is on its way." if is_liked else f"No idea, see page {number * 13 % 97}."
        )
        before = (said("user", "Hello, mein Paket \u4f60\u597d \U0001f4e6"), CALLED, FOUND) if number % 5 == 0 else ()
        found.append(Told(f"Where is parcel {parcel}?", answer, is_liked, f"s{number}", f"u{number}", before=before))
    found += [
        Told(
            f"How is article {number}?",
            f"Bad guess {number}",
            0,
            f"c{number}",
            f"c{number}",
            correction=f"I looked it up: article {number} is fine.",
        )
        for number in range(40)
    ]
    return found


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("finetune") / "data"
    database = connect(f"chdb://{directory / 'clickhouse'}")
    migrate(database, Settings.load({}))
    store_told(database, conversations())
    database.close()
    return directory


@pytest.fixture(scope="session")
def exports(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export in each format that can be learned from, and one that can't."""
    folder = tmp_path_factory.mktemp("exports")
    for each in ("sft", "openai", "kto", "dpo", "parquet"):
        done = otel_feedback(
            data_dir,
            "export",
            "--format",
            each,
            "--out",
            str(folder / each),
            "--split",
            "70/0/30",
            "--keep-near",
            *PERIOD,
        )
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return folder


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    texts = [f"{each.question} {each.answer} {each.correction}" for each in conversations()]
    return make_tiny_model(tmp_path_factory.mktemp("model") / "tiny", texts)


@pytest.fixture
def config(tmp_path: Path, exports: Path, tiny_model: Path) -> Callable[..., Path]:
    """Writes a run's file; ``training`` has lines for its section."""

    def write(
        chosen: str = "sft", *training: str, name: str = "run", data: Path | None = None, model: str = ""
    ) -> Path:
        path = tmp_path / f"{name}.toml"
        lines = [
            f'data = "{data or exports / chosen}"',
            f'out = "{name}"',
            "[model]",
            f'name = "{model or tiny_model}"',
            "[lora]",
            "rank = 8",
            "[training]",
            "batch = 4",
            "accumulate = 2",
            "max_tokens = 256",
            "learning_rate = 0.01",
            *training,
        ]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return write
