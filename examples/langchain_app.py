"""A chain of LangChain in a terminal. Start it with `opentelemetry-instrument python langchain_app.py`."""

import os
import uuid

from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_openai import ChatOpenAI

import otel_feedback

chain = (
    ChatPromptTemplate.from_messages([("system", "You help customers of a shop."), ("user", "{question}")])
    | ChatOpenAI(model=os.environ.get("MODEL", "shop-assistant-small"))
    | StrOutputParser()
)

with otel_feedback.session(str(uuid.uuid4()), user="visitor"):
    while question := input("Your question (nothing to end): "):
        print(chain.invoke({"question": question}))
        token = otel_feedback.feedback_token()
        match input("Was that good? (y, n, or nothing) "):
            case "y":
                otel_feedback.record("thumbs", True, target=token)
            case "n":
                otel_feedback.record("thumbs", False, target=token, comment=input("What was wrong? "))
