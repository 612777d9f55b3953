"""The app that gives work to the tasks of ``celery_tasks``, inside a session and a trace."""

import celery_tasks

import otel_feedback

WAIT_SECONDS = 30

with otel_feedback.session("c-42", user="u-7"), celery_tasks.tracer.start_as_current_span("request"):
    token = celery_tasks.summarise.delay("c-42", "u-7").get(timeout=WAIT_SECONDS)
    celery_tasks.forget_the_session.delay().get(timeout=WAIT_SECONDS)
    otel_feedback.record("stars", 4, target=token)
    celery_tasks.rate.delay(token).get(timeout=WAIT_SECONDS)
