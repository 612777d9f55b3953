import os
import signal
import subprocess
import sys

import psutil
import pytest

from otel_feedback.dashboard.charts.drawing import ChartError, Drawing
from otel_feedback.dashboard.charts.specification import Look, specification
from otel_feedback.dashboard.filters import FilterError

LIGHT = Look.parse("", "")
ROWS = [{"group": "m\u00f6del <b>", "share": 0.5, "low": 0.25, "high": 0.75, "response": 0.1}]


@pytest.fixture
def drawing():
    drawing = Drawing()
    yield drawing
    drawing.close()


def _children():
    return [each for each in psutil.Process().children() if "drawing_process" in " ".join(each.cmdline())]


def test_nothing_is_loaded_or_started_before_the_first_chart():
    loaded = subprocess.run(
        [sys.executable, "-c", "import otel_feedback.dashboard.app, sys; print('vl_convert' in sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert loaded.stdout.strip() == "False"
    Drawing().close()
    assert _children() == []


def test_a_chart_is_drawn_elsewhere_and_once(drawing):
    spec = specification("satisfaction_by_group", ROWS, LIGHT)
    picture = drawing.draw(spec, "svg")
    assert picture.startswith(b"<svg ")
    assert "m\u00f6del &lt;b&gt;".encode() in picture
    (child,) = _children()
    busy = child.cpu_times()
    assert drawing.draw(spec, "svg") is picture
    assert child.cpu_times()[:2] == busy[:2], "the second time it was kept"
    assert "vl_convert" not in sys.modules
    assert drawing.draw(spec, "png").startswith(b"\x89PNG")


def test_the_process_is_started_again_when_it_has_ended(drawing):
    drawing.draw(specification("satisfaction_by_group", ROWS, LIGHT), "svg")
    (child,) = _children()
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    assert drawing.draw(specification("satisfaction_by_group", [], LIGHT), "svg").startswith(b"<svg ")


def test_the_process_ends_with_the_drawing():
    drawing = Drawing()
    drawing.draw(specification("satisfaction_by_group", ROWS, LIGHT), "svg")
    (child,) = _children()
    drawing.close()
    child.wait(10)
    assert _children() == []


def test_what_can_not_be_drawn_is_told_and_the_next_is_drawn(drawing):
    with pytest.raises(ChartError, match="can't be drawn"):
        drawing.draw({"mark": "no such mark"}, "svg")
    assert drawing.draw(specification("satisfaction_by_group", ROWS, LIGHT), "svg")


def test_old_charts_make_room_for_new_ones(drawing, monkeypatch):
    monkeypatch.setattr("otel_feedback.dashboard.charts.drawing.MOST_KEPT_BYTES", 10_000)
    for share in (0.3, 0.4, 0.5):
        drawing.draw(specification("satisfaction_by_group", [{**ROWS[0], "share": share}], LIGHT), "svg")
    assert len(drawing._kept) < 3
    assert drawing._kept_bytes == sum(map(len, drawing._kept.values()))


def test_every_chart_asks_only_for_colours_of_its_scheme():
    light, dark = (specification("ratings_over_time", [], Look.parse(scheme, "phone")) for scheme in ("light", "dark"))
    assert light["width"] == dark["width"]
    assert light["config"]["background"] != dark["config"]["background"]
    with pytest.raises(FilterError, match="scheme"):
        Look.parse("red", "")


def test_hours_are_told_as_hours():
    spec = specification("ratings_over_time", [], LIGHT, by_hour=True)
    assert spec["encoding"]["x"]["axis"]["format"] == "%H:%M"
    assert specification("ratings_over_time", [], LIGHT)["encoding"]["x"]["axis"]["format"] == "%-d %b"
