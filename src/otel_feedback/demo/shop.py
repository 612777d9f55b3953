"""The shop behind the chat: its orders, and the tool with which the model looks them up."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletionFunctionToolParam

DEFAULT_MODEL: Final = "shop-assistant-small"
SHOP_NAME: Final = "Fernhill Kitchen"
PROMPT_NAME: Final = "shop-assistant"
PROMPT_VERSION: Final = "v2"
INSTRUCTIONS: Final = (
    f"You are the assistant of {SHOP_NAME}, a small shop for kitchenware. Answer in two or three plain sentences, "
    "name dates and amounts where you know them, and look an order up before you say anything about it."
)
LOOK_UP_ORDER: Final[ChatCompletionFunctionToolParam] = {
    "type": "function",
    "function": {
        "name": "look_up_order",
        "description": "What was ordered, where the parcel is, and whether money was paid back.",
        "parameters": {
            "type": "object",
            "properties": {"order": {"type": "string", "description": "The order number, e.g. A-1009"}},
            "required": ["order"],
        },
    },
}


@dataclass(frozen=True, slots=True)
class Order:
    """One order as the shop's books have it."""

    order: str
    items: str
    status: str
    detail: str


_ORDERS: Final[Mapping[str, Order]] = {
    each.order: each
    for each in (
        Order("A-1009", "a gooseneck kettle", "returned", "the refund of 64.90 EUR was paid on Monday"),
        Order("A-1010", "two cast iron pans", "on its way", "the parcel left Lyon this morning"),
        Order("A-1011", "a set of six steak knives", "delivered", "a neighbour signed for it yesterday"),
        Order("A-1012", "a stand mixer in sage green", "in the workshop", "it ships as soon as the bowl is in stock"),
        Order("B-2044", "a bread knife and a linen apron", "being packed", "it ships tomorrow"),
        Order("B-2045", "a 24 cm saucepan", "cancelled", "nothing was charged"),
    )
}


def run_tool(name: str, arguments: str) -> str:
    """What the tool of this name answers, as JSON for the model; a wrong call is answered with what is wrong."""
    if name != LOOK_UP_ORDER["function"]["name"]:
        return json.dumps({"error": f"there is no tool {name}"})
    try:
        number = str(json.loads(arguments)["order"]).strip().upper()
    except (ValueError, KeyError, TypeError):
        return json.dumps({"error": 'expected {"order": "A-1009"}'})
    order = _ORDERS.get(number)
    return json.dumps(asdict(order) if order else {"order": number, "error": "no order has this number"})
