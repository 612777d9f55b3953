"""The SQL of docs/reading.md, over ratings as users and annotators give them."""

import re
import time
from pathlib import Path

import httpx
from tests.support.dashboard.history import MINUTE, History
from tests.support.service import running_service

PAGE = Path(__file__).parents[2] / "docs" / "reading.md"


def test_the_query_finds_where_annotators_see_it_otherwise(tmp_path):
    now = time.time_ns()
    history = History()
    for number, (said, reviewed) in enumerate([("negative", "positive"), ("negative", "negative"), ("positive", "")]):
        call = history.call("Where is it?", "On its way.", at=now - number * MINUTE, session="s")
        history.rate(call, said, at=now, rater="maria")
        if reviewed:
            history.rate(call, reviewed, at=now, name="review", rater="ines", source="annotator", comment="Is right.")
    (statement,) = re.findall(r"```sql\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    with running_service(tmp_path / "data") as service:
        body = history.request().SerializeToString()
        httpx.post(f"{service.http}/v1/traces", content=body, headers={"Content-Type": "application/x-protobuf"})
        service.wait_for_rows("SELECT 1 FROM feedback", 5)
        (found,) = service.sql(statement)
    assert (found["UserSaid"], found["AnnotatorSaid"], found["Note"]) == ("negative", "positive", "Is right.")
    assert re.fullmatch("[0-9a-f]{32}", found["FeedbackId"])
