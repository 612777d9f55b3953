"""The wheel with its own dependencies and nothing else: what an instrumented app has to carry."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVICE_MODULES = (
    "chdb",
    "clickhouse_connect",
    "grpc",
    "prometheus_client",
    "starlette",
    "uvicorn",
    "jinja2",
    "google.protobuf",
)

TRY_EVERYTHING = """
import json, sys
import otel_feedback
loaded = sorted(sys.modules)

otel_feedback.instrument()

@otel_feedback.session("c-42", user="u-7")
def chat():
    return otel_feedback.feedback_token(), otel_feedback.record("thumbs", True)

token, submission = chat()
outside = otel_feedback.feedback_token()
retracted = otel_feedback.retract("thumbs", target=token)
again = otel_feedback.record("stars", 4, minimum=1, maximum=5, response_id="chatcmpl-9")
from otel_feedback.sdk.asgi import FeedbackMiddleware
from otel_feedback.sdk import wsgi
answer = wsgi.FeedbackMiddleware(None)({"PATH_INFO": "/feedback.js", "REQUEST_METHOD": "GET"}, lambda *_: None)
assert len(b"".join(answer)) > 1000
assert otel_feedback.flush()
from otel_feedback.widget import serving
json.dump({"loaded": loaded, "in_the_end": sorted(sys.modules), "token": token, "outside": outside,
           "ids": [submission, retracted, again], "widget": len(serving.answer("GET").body)}, sys.stdout)
"""


@pytest.fixture(scope="module")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder / "venv", with_pip=not _uv(), symlinks=True)
    python = folder / "venv" / "bin" / "python"
    if uv := _uv():
        install = [uv, "pip", "install", "--quiet", "--python", str(python), str(ROOT)]
    else:
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(ROOT)]
    subprocess.run(install, check=True, timeout=300)
    return python


def _uv() -> str | None:
    own = ROOT / ".uv" / "bin" / "uv"
    return str(own) if own.exists() else None


def run(python: Path, code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "PYTHON"))}
    command = [str(python), "-W", "error", "-c", code]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=120, cwd=python.parent, env=bare | environment
    )


def test_the_sdk_works_without_opentelemetrys_sdk_and_without_the_service(bare_python):
    done = run(bare_python, TRY_EVERYTHING, OTEL_FEEDBACK_SIGNING_KEYS="key")
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert told["token"].count(".") == 2
    assert told["outside"] == ""
    assert len(set(told["ids"])) == 3
    assert told["widget"] > 1000
    for module in ("opentelemetry.sdk", *SERVICE_MODULES):
        assert module not in told["in_the_end"]


def test_importing_it_loads_nothing_heavy(bare_python):
    done = run(bare_python, TRY_EVERYTHING, OTEL_FEEDBACK_SIGNING_KEYS="key")
    loaded = set(json.loads(done.stdout)["loaded"])
    assert loaded.isdisjoint({"asyncio", "jwt", "http.client", "urllib.request", "cryptography"})


def test_nothing_of_the_service_is_installed(bare_python):
    code = f"import importlib.util as u; print([m for m in {SERVICE_MODULES} if u.find_spec(m.partition('.')[0])])"
    assert run(bare_python, code).stdout.strip() == "[]"


def test_the_command_says_which_extra_is_missing(bare_python):
    done = run(bare_python, "from otel_feedback.cli import main; raise SystemExit(main(['serve']))")
    assert done.returncode == 1
    assert 'pip install "otel-feedback[service]"' in done.stderr
    done = run(bare_python, "from otel_feedback.cli import main; raise SystemExit(main(['contrast']))")
    assert done.returncode == 1
    assert 'pip install "otel-feedback[insights]"' in done.stderr


def test_the_wheel_holds_the_widget_the_types_and_the_entry_points(tmp_path):
    build = [_uv() or "uv", "build", "--quiet", "--wheel", "--out-dir", str(tmp_path), str(ROOT)]
    if not _uv():
        build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(tmp_path), str(ROOT)]
    subprocess.run(build, check=True, timeout=300)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        (entry_points,) = [archive.read(name).decode() for name in names if name.endswith("entry_points.txt")]
    assert {"otel_feedback/py.typed", "otel_feedback/widget/feedback.js"} <= names
    assert not [name for name in names if name.startswith("tests")]
    assert "otel_feedback.sdk.entrypoint:OtelFeedbackInstrumentor" in entry_points
