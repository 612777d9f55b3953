"""An annotation that a page has said to be saved outlives the service's end by SIGKILL, at once."""

import time

import httpx
from tests.support.dashboard.annotating import annotate
from tests.support.dashboard.history import MINUTE, History
from tests.support.service import RunningService


def test_a_saved_annotation_survives_the_kill_of_the_service(tmp_path):
    now = time.time_ns()
    history = History()
    call = history.call("Where is it?", "On its way.", at=now - MINUTE, session="s")
    history.rate(call, "negative", at=now, rater="maria")
    service = RunningService(tmp_path / "data")
    try:
        service.start()
        body = history.request().SerializeToString()
        httpx.post(f"{service.http}/v1/traces", content=body, headers={"Content-Type": "application/x-protobuf"})
        (rated,) = service.wait_for_rows("SELECT FeedbackId FROM feedback")
        with httpx.Client(base_url=service.dashboard) as client:
            answer = annotate(client, rated["FeedbackId"], annotator="ines", verdict="positive", comment="Is right.")
        service.kill()
        assert answer.status_code == 303
        service.start()
        (stored,) = service.wait_for_rows("SELECT Label, Comment, Source FROM feedback WHERE Name = 'review'")
        assert stored == {"Label": "positive", "Comment": "Is right.", "Source": "annotator"}
    finally:
        service.stop()
