"""A chat on Streamlit. Start it with `opentelemetry-instrument python -m streamlit run streamlit_app.py`."""

import os
import uuid

import streamlit as st
from openai import OpenAI

import otel_feedback
from otel_feedback.adapters.streamlit import feedback

st.title("Chat")
conversation = st.session_state.setdefault("conversation", str(uuid.uuid4()))
turns = st.session_state.setdefault("turns", [])

if question := st.chat_input("Your question"):
    with otel_feedback.session(conversation, user="visitor"):
        completion = OpenAI().chat.completions.create(
            model=os.environ.get("MODEL", "shop-assistant-small"), messages=[{"role": "user", "content": question}]
        )
        token = otel_feedback.feedback_token()
    turns.append((question, completion.choices[0].message.content, token))

for asked, answer, token in turns:
    st.chat_message("user").write(asked)
    with st.chat_message("assistant"):
        st.write(answer)
        feedback(token)
