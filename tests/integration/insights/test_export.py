"""``otel-feedback export`` and ``export verify``, over conversations stored in the embedded engine."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pyarrow.parquet
import pytest
from tests.support.commands import otel_feedback
from tests.support.environments import pinned_python
from tests.support.told_conversations import Told, said, store_told

from otel_feedback.clickhouse.connect import connect
from otel_feedback.clickhouse.migrate import migrate
from otel_feedback.errors import DatabaseError, UsageError
from otel_feedback.insights import ExportOptions, Filter, Splits, asker, export
from otel_feedback.insights.export_rows import FORMATS
from otel_feedback.settings import Settings

PERIOD: Final = ("--since", "2026-09-01", "--until", "2026-10-01")
OF: Final = Filter(since="2026-09-01", until="2026-10-01")
KEPT: Final = "SELECT * FROM insight_findings WHERE Kind = 'export'"
PINS: Final = Path(__file__).parent / "requirements" / "datasets.txt"
CALLED: Final = {
    "role": "assistant",
    "parts": [{"type": "tool_call", "id": "c1", "name": "find", "arguments": {"order": 7}}],
}
FOUND: Final = {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "sent"}]}
AGREED: Final = {"consent.training": "yes", "consent.flag": True}
TOLD: Final = (
    Told("Where is order 7?", "It was sent.", 1, "tools", before=(said("user", "Hi"), CALLED, FOUND), also=AGREED),
    Told("How do I season a pan?", "Thin oil, an hour at 230 degrees.", 1, "pan-1"),
    Told("How do I season a pan?", "Guides can be found online.", 0, "pan-2", correction="Oil and heat.", also=AGREED),
    Told("how do i season a pan?", "Thin oil,  an hour at 230 degrees.", 1, "pan-3", user="ben"),
    Told(
        "How do I reach you?",
        "Write to help@shop.example or call +49 30 901820.",
        1,
        "reach",
        user="ben",
        also={"consent.training": "no"},
    ),
    Told("No answer was captured", "", 1, "silent"),
    Told("Not rated", "Nobody said anything.", None, "unrated"),
    *(Told(f"Question number {number}?", f"Answer {number * 7919}.", number % 2, f"s{number}") for number in range(40)),
)


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("export") / "data"
    database = connect(f"chdb://{directory / 'clickhouse'}")
    migrate(database, Settings.load({}))
    store_told(database, TOLD)
    database.close()
    return directory


@pytest.fixture(scope="module")
def exports(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export in each format, by the command."""
    folder = tmp_path_factory.mktemp("exports")
    for each in FORMATS:
        done = otel_feedback(data_dir, "export", "--format", each, "--out", str(folder / each), *PERIOD)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return folder


def lines(directory: Path, folder: str = "data") -> dict[str, list[Any]]:
    return {
        path.stem: [json.loads(line) for line in path.read_text().splitlines()]
        for path in sorted((directory / folder).glob("*.jsonl"))
    }


def all_rows(directory: Path) -> list[Any]:
    return [row for rows in lines(directory).values() for row in rows]


def test_liked_answers_are_conversations_with_their_tools(exports: Path):
    for each in ("sft", "openai"):
        rows = all_rows(exports / each)
        assert {tuple(row) for row in rows} == {("messages",)}
        assert len(rows) == 20 + 3
        (told,) = [row["messages"] for row in rows if row["messages"][-2]["content"] == "Where is order 7?"]
        assert [message["role"] for message in told] == ["user", "assistant", "tool", "user", "assistant"]
        assert told[1]["tool_calls"][0]["function"] == {"name": "find", "arguments": '{"order": 7}'}
        assert told[-1] == {"role": "assistant", "content": "It was sent."}


def test_kto_has_both_sides(exports: Path):
    rows = all_rows(exports / "kto")
    assert {tuple(row) for row in rows} == {("prompt", "completion", "label")}
    assert [row["label"] for row in rows].count(False) == 20 + 1
    assert {row["completion"][0]["role"] for row in rows} == {"assistant"}
    assert {row["prompt"][-1]["role"] for row in rows} == {"user"}


def test_dpo_has_corrections_and_opposed_answers_to_one_prompt(data_dir: Path, tmp_path: Path):
    options = ExportOptions(Splits(100, 0, 0))
    asked = asker(Settings.load({"OTEL_FEEDBACK_DATA_DIR": str(data_dir)}))
    manifest = export("dpo", tmp_path / "dpo", asked, of=OF, options=options)
    rows = lines(tmp_path / "dpo")["train"]
    pairs = [(row["chosen"][0]["content"], row["rejected"][0]["content"]) for row in rows]
    disliked = "Guides can be found online."
    assert pairs == [("Oil and heat.", disliked), ("Thin oil, an hour at 230 degrees.", disliked)]
    assert manifest["rows"] == {"train": 2, "validation": 0, "test": 0}
    sources = lines(tmp_path / "dpo", "provenance")["train"]
    assert [len(each) for each in sources] == [1, 2]


def test_what_is_left_out_is_counted_in_the_manifest(exports: Path):
    manifest = json.loads((exports / "kto" / "manifest.json").read_text())
    assert manifest["calls"] == 46
    assert manifest["left_out"] == {"exact duplicate": 1, "no answer was captured": 1}
    assert manifest["personal_data"]["email"] == manifest["personal_data"]["phone"] == 1
    assert manifest["filter"]["since"] == "2026-09-01 00:00:00"
    assert "FROM rated_llm_calls" in manifest["query"]
    sha256 = subprocess.run(
        ["sha256sum", exports / "kto" / "data" / "train.jsonl"], capture_output=True, text=True, check=True
    )
    assert manifest["files"]["data/train.jsonl"]["sha256"] == sha256.stdout.split()[0]


def test_each_row_says_where_it_came_from_and_no_conversation_is_in_two_parts(exports: Path):
    sources, rows = lines(exports / "kto", "provenance"), lines(exports / "kto")
    assert {name: len(each) for name, each in sources.items()} == {name: len(each) for name, each in rows.items()}
    parts: dict[str, set[str]] = {}
    for name, each in sources.items():
        for (source,), row in zip(each, rows[name], strict=True):
            told = TOLD[int(source["trace_id"], 16) - 1]
            assert row["completion"][0]["content"] == told.answer
            assert source["span_id"] == source["trace_id"][16:]
            assert len(source["rating_ids"]) == 1
            assert source["time"].startswith("2026-09-21 ")
            parts.setdefault(told.session, set()).add(name)
    assert {len(each) for each in parts.values()} == {1}


def test_parquet_has_the_calls_and_all_of_their_ratings(exports: Path):
    tables = [pyarrow.parquet.read_table(each) for each in sorted((exports / "parquet" / "data").glob("*.parquet"))]
    rows = [row for table in tables for row in table.to_pylist()]
    assert len(rows) == 46
    (row,) = [each for each in rows if each["SessionId"] == "pan-2"]
    assert (row["Label"], row["InputTokens"], row["Seconds"]) == ("negative", 10, 1)
    assert [(each["Value"], each["Correction"]) for each in row["Ratings"]] == [(0, "Oil and heat.")]


@pytest.mark.parametrize("chosen", ["sft", "parquet"])
def test_the_same_data_makes_the_same_bytes(exports: Path, data_dir: Path, tmp_path: Path, chosen: str):
    done = otel_feedback(data_dir, "export", "--format", chosen, "--out", str(tmp_path / "again"), *PERIOD)
    assert (done.returncode, done.stderr) == (0, "")
    files = sorted(path.relative_to(exports / chosen) for path in (exports / chosen).rglob("*") if path.is_file())
    assert len(files) == 8
    for each in files:
        assert (tmp_path / "again" / each).read_bytes() == (exports / chosen / each).read_bytes()


def test_personal_data_is_masked_or_left_out(data_dir: Path, tmp_path: Path):
    def exported(pii: str) -> tuple[str, str]:
        target = tmp_path / pii
        done = otel_feedback(data_dir, "export", "--format", "sft", "--out", str(target), "--pii", pii, *PERIOD)
        return "".join(path.read_text() for path in (target / "data").iterdir()), done.stdout

    text, told = exported("mask")
    assert "Write to [email] or call [phone]." in text
    assert "Looks personal in 1 rows: 1 email, 1 phone; masked." in told
    text, told = exported("drop")
    assert "Write to" not in text
    assert "Left out: 1 personal data." in told


def test_the_apps_own_redactor_goes_first(data_dir: Path, tmp_path: Path):
    options = ExportOptions(redactor=lambda text: text.replace("order", "[thing]"))
    asked = asker(Settings.load({"OTEL_FEEDBACK_DATA_DIR": str(data_dir)}))
    export("sft", tmp_path / "redacted", asked, of=OF, options=options)
    text = "".join(path.read_text() for path in (tmp_path / "redacted" / "data").iterdir())
    assert "Where is [thing] 7?" in text
    assert "order 7?" not in text


@pytest.mark.parametrize("consent", ["consent.training=yes", "consent.flag"])
@pytest.mark.parametrize(("chosen", "rows"), [("kto", 2), ("parquet", 2), ("dpo", 1)])
def test_only_calls_of_people_who_agreed_are_in(data_dir: Path, tmp_path: Path, chosen: str, rows: int, consent: str):
    target = tmp_path / "agreed"
    done = otel_feedback(data_dir, "export", "--format", chosen, "--out", str(target), "--consent", consent, *PERIOD)
    assert done.returncode == 0, done.stderr
    manifest = json.loads((target / "manifest.json").read_text())
    assert manifest["consent"] == (consent if "=" in consent else f"{consent}=true")
    assert (sum(manifest["rows"].values()), manifest["calls"]) == (rows, 46)
    assert manifest["left_out"]["without consent"] == 44
    assert "Left out: 44 without consent." in done.stdout
    assert f"`{manifest['consent']}`" in (target / "README.md").read_text()
    sources = [source for part in lines(target, "provenance").values() for each in part for source in each]
    assert all(TOLD[int(source["trace_id"], 16) - 1].also == AGREED for source in sources)


def test_consent_without_an_attribute_is_refused(data_dir: Path, tmp_path: Path):
    done = otel_feedback(data_dir, "export", "--format", "sft", "--out", str(tmp_path / "x"), "--consent", "=yes")
    assert (done.returncode, done.stdout) == (2, "")
    assert "names no attribute; write consent.training=yes" in done.stderr


def test_what_was_made_is_kept_without_what_people_wrote(exports: Path, data_dir: Path, tmp_path: Path):
    asked = asker(Settings.load({"OTEL_FEEDBACK_DATA_DIR": str(data_dir)}))
    kept = [json.loads(line) for line in asked(KEPT, {}, format_name="JSONEachRow").splitlines()]
    for each in FORMATS:
        manifest = json.loads((exports / each / "manifest.json").read_text())
        told = {name: value for name, value in manifest.items() if name != "query"}
        (run,) = [row for row in kept if row["Value"] == each and json.loads(row["Detail"]) == told]
        assert (run["Dimension"], run["QueryHash"]) == (each, manifest["query_sha256"])
        assert len(run["DataHash"]) == 64
    export("sft", tmp_path / "not-kept", asked, of=OF, store=False)

    def does_not_keep(statement: str, *values: Any, write: bool = False, **how: Any) -> bytes:
        if write:
            raise DatabaseError("it may only be read")
        return asked(statement, *values, **how)

    with pytest.raises(DatabaseError, match=r"not-stored is whole, but .*it may only be read.*--no-store"):
        export("sft", tmp_path / "not-stored", does_not_keep, of=OF)
    assert (tmp_path / "not-stored" / "manifest.json").is_file()
    assert len(asked(KEPT, {}, format_name="JSONEachRow").splitlines()) == len(kept)


def test_a_directory_that_holds_something_is_left_alone(data_dir: Path, exports: Path, tmp_path: Path):
    done = otel_feedback(data_dir, "export", "--format", "sft", "--out", str(exports), *PERIOD)
    assert done.returncode == 2
    assert "is there already" in done.stderr
    missing = otel_feedback(data_dir, "export", "--format", "sft")
    assert (missing.returncode, missing.stdout) == (2, "")
    nowhere = otel_feedback(data_dir, "export", "--format", "sft", "--out", "/proc/nowhere/x", *PERIOD)
    assert nowhere.returncode == 1
    assert "can't be written" in nowhere.stderr
    asked: list[str] = []

    def breaks_off(statement: str, *_: object, **__: object) -> bytes:
        asked.append(statement)
        if "AS Minute" in statement:
            return b'{"Minute": 60, "Ratings": 1}'
        raise DatabaseError("gone")

    with pytest.raises(DatabaseError, match="gone"):
        export("sft", tmp_path / "half", breaks_off, of=OF)
    assert len(asked) == 2
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(UsageError, match="is no format"):
        export("csv", tmp_path / "x")  # type: ignore[arg-type]


READ: Final = """
import json, sys
from datasets import load_dataset
told = {}
for name in ("sft", "openai", "kto", "dpo", "parquet"):
    data = load_dataset(f"{sys.argv[1]}/{name}", cache_dir=sys.argv[2])
    told[name] = {
        split: [part.column_names, len(part), part[0], [m for row in part for m in row.get("messages", [])]]
        for split, part in data.items()
    }
json.dump(told, sys.stdout, default=str)
"""


def test_the_datasets_library_reads_every_format(exports: Path, tmp_path: Path):
    python = pinned_python(PINS)
    done = subprocess.run(
        [python, "-c", READ, exports, tmp_path],
        env={**os.environ, "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout)
    for each in FORMATS:
        manifest = json.loads((exports / each / "manifest.json").read_text())
        assert {name: part[1] for name, part in told[each].items()} == {k: v for k, v in manifest["rows"].items() if v}
    assert told["kto"]["train"][0] == ["prompt", "completion", "label"]
    assert told["sft"]["train"][0] == ["messages"]
    assert told["sft"]["train"][2]["messages"][-1]["role"] == "assistant"
    (called,) = [
        message["tool_calls"][0]["function"]
        for part in told["sft"].values()
        for message in part[3]
        if message["tool_calls"]
    ]
    assert called == {"name": "find", "arguments": '{"order": 7}'}


def test_verify_names_the_files_that_hold_who_was_erased(data_dir: Path, exports: Path, erased: Callable[[str], None]):
    fine = otel_feedback(data_dir, "export", "verify", str(exports))
    assert (fine.returncode, fine.stdout) == (0, "Every row's calls and ratings are still there.\n")
    erased("ben")
    done = otel_feedback(data_dir, "export", "verify", str(exports), "--format", "json")
    assert done.returncode == 1, done.stderr
    found = json.loads(done.stdout)
    held = {
        (Path(stale["file"]).parts[-3], Path(stale["file"]).stem, number) for stale in found for number in stale["rows"]
    }
    expected = {
        (each, name, number)
        for each in FORMATS
        for name, rows in lines(exports / each, "provenance").items()
        for number, sources in enumerate(rows, 1)
        if any(TOLD[int(source["trace_id"], 16) - 1].user == "ben" for source in sources)
    }
    assert held == expected
    assert len(held) >= 4
    text = otel_feedback(data_dir, "export", "verify", str(exports)).stdout
    assert "row(s) must go" in text
    fresh = exports.parent / "fresh"
    otel_feedback(data_dir, "export", "--format", "parquet", "--out", str(fresh), *PERIOD)
    again = otel_feedback(data_dir, "export", "verify", str(fresh))
    assert again.returncode == 0
    assert json.loads((fresh / "manifest.json").read_text())["calls"] == 44
    nothing = otel_feedback(data_dir, "export", "verify", str(data_dir))
    assert nothing.returncode == 1
    assert "There is no export in" in nothing.stderr


@pytest.fixture
def erased(data_dir: Path) -> Callable[[str], None]:
    def erase(user: str) -> None:
        done = otel_feedback(data_dir, "erase", "--user", user, "--yes")
        assert done.returncode == 0, done.stderr

    return erase
