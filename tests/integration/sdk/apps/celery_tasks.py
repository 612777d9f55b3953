"""Tasks of a queue that is a folder: what they do is what docs/sdk.md says of job queues."""

import os
from pathlib import Path

import celery
from celery.signals import worker_process_shutdown
from opentelemetry import trace

import otel_feedback

folder = Path(os.environ["QUEUE_FOLDER"])
for name in ("messages", "processed", "results", "control"):
    (folder / name).mkdir(exist_ok=True)
app = celery.Celery("tasks", broker="filesystem://", backend=(folder / "results").as_uri())
app.conf.update(
    broker_transport_options={
        "data_folder_in": str(folder / "messages"),
        "data_folder_out": str(folder / "messages"),
        "processed_folder": str(folder / "processed"),
        "control_folder": str(folder / "control"),
        "polling_interval": 0.05,
    },
    worker_hijack_root_logger=False,
)
tracer = trace.get_tracer("tasks")


@worker_process_shutdown.connect
def send_what_waits(**_):
    """The processes of a worker's pool end without Python's exit handlers."""
    otel_feedback.flush()


def call_the_model(name):
    tracer.start_span(name, attributes={"gen_ai.operation.name": "chat"}).end()


@app.task
def summarise(conversation_id, user_id):
    """With the ids, which a message must carry itself; its caller rates by the token."""
    with otel_feedback.session(conversation_id, user=user_id):
        call_the_model("summary")
        return otel_feedback.feedback_token()


@app.task
def forget_the_session():
    call_the_model("without ids")


@app.task
def rate(token):
    """As where clicks are put into a queue."""
    otel_feedback.record("thumbs", False, target=token)
