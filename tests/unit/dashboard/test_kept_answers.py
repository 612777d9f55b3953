import asyncio

import pytest

from otel_feedback.dashboard.kept_answers import MOST_ANSWERS, KeptAnswers
from otel_feedback.errors import DatabaseError


class Database:
    """Counts what it is asked; answers when it is let."""

    def __init__(self, took_seconds=1.0):
        self.asked = 0
        self.took_seconds = took_seconds
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.error = None

    async def ask(self):
        self.asked += 1
        number = self.asked
        await self.may_answer.wait()
        if self.error:
            raise self.error
        return [{"n": number}], self.took_seconds


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def test_many_readers_at_once_ask_once():
    async def run():
        database, kept = Database(), KeptAnswers()
        database.may_answer.clear()
        readers = [asyncio.create_task(kept.get("a", database.ask)) for _ in range(20)]
        await asyncio.sleep(0)
        database.may_answer.set()
        answers = await asyncio.gather(*readers)
        assert {answer.rows[0]["n"] for answer in answers} == {1}
        await kept.get("b", database.ask)
        assert database.asked == 2

    asyncio.run(run())


@pytest.mark.parametrize(("later", "shown", "asked"), [(19.0, 1, 1), (21.0, 1, 2), (61.0, 2, 2)])
def test_an_answer_is_fresh_by_its_cost_then_shown_while_it_is_asked_anew_then_waited_for(later, shown, asked):
    async def run():
        database, clock = Database(took_seconds=1.0), Clock()
        kept = KeptAnswers(clock)
        await kept.get("a", database.ask)
        clock.now += later
        answer = await kept.get("a", database.ask)
        await asyncio.sleep(0)
        assert (answer.rows[0]["n"], database.asked) == (shown, asked)
        assert answer.age_seconds(clock.now) == (later if shown == 1 else 0)

    asyncio.run(run())


def test_a_cheap_answer_is_hardly_kept():
    async def run():
        database, clock = Database(took_seconds=0.005), Clock()
        kept = KeptAnswers(clock)
        await kept.get("a", database.ask)
        clock.now += 0.5
        assert (await kept.get("a", database.ask)).rows == [{"n": 2}]

    asyncio.run(run())


def test_a_failure_is_told_to_all_who_wait_and_is_not_kept():
    async def run():
        database, kept = Database(), KeptAnswers()
        database.error = DatabaseError("away")
        answers = await asyncio.gather(*(kept.get("a", database.ask) for _ in range(3)), return_exceptions=True)
        assert [type(each) for each in answers] == [DatabaseError] * 3
        assert database.asked == 1
        database.error = None
        assert (await kept.get("a", database.ask)).rows == [{"n": 2}]

    asyncio.run(run())


def test_a_failure_behind_the_backs_of_readers_leaves_them_what_is_kept():
    async def run():
        database, clock = Database(), Clock()
        kept = KeptAnswers(clock)
        await kept.get("a", database.ask)
        database.error = DatabaseError("away")
        clock.now += 30
        for _ in range(2):
            assert (await kept.get("a", database.ask)).rows == [{"n": 1}]
            await asyncio.sleep(0.01)
        assert database.asked == 3

    asyncio.run(run())


def test_a_reader_who_leaves_takes_the_question_from_nobody():
    async def run():
        database, kept = Database(), KeptAnswers()
        database.may_answer.clear()
        leaving, staying = (asyncio.create_task(kept.get("a", database.ask)) for _ in range(2))
        await asyncio.sleep(0)
        leaving.cancel()
        await asyncio.sleep(0)
        database.may_answer.set()
        assert (await staying).rows == [{"n": 1}]

    asyncio.run(run())


def test_what_is_kept_is_bounded():
    async def run():
        database, kept = Database(), KeptAnswers()
        for number in range(MOST_ANSWERS + 3):
            await kept.get(str(number), database.ask)
        await kept.get("3", database.ask)
        asked = database.asked
        await kept.get("0", database.ask)
        assert database.asked == asked + 1

    asyncio.run(run())


def test_what_was_asked_before_an_erasure_is_not_shown_after_it():
    async def run():
        database, kept = Database(), KeptAnswers()
        await kept.get("a", database.ask)
        database.may_answer.clear()
        under_way = asyncio.create_task(kept.get("b", database.ask))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        kept.forget()
        database.may_answer.set()
        assert (await under_way).rows == [{"n": 2}]
        assert (await kept.get("a", database.ask)).rows == [{"n": 3}]
        assert (await kept.get("b", database.ask)).rows == [{"n": 4}]

    asyncio.run(run())
