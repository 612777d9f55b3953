"""Gradio's likes of messages whose tokens are refused, each given and taken back, and an option that is too long."""

import os

import gradio as gr

from otel_feedback.adapters.gradio import rate, rateable

for token in os.environ["TOKENS"].split():
    messages = [{"role": "assistant", "content": "Canberra.", "metadata": rateable(token)}]
    for liked in (True, "", "x" * 1000):
        rate(messages, gr.LikeData(None, {"index": 0, "value": "Canberra.", "liked": liked}))
