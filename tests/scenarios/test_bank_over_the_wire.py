"""The dev bank through the callback in safe mode gives what `ask --batch` gives."""

from __future__ import annotations

import pytest

from bot.clock import FrozenClock, local_date
from knowledge.answer import Answer, Outcome
from knowledge.evaluation import Question, judge, read_bank
from knowledge.frame import Asker
from tests.knowledge import gate
from tests.town import Town, running_town

# What is answered does not depend on the engine.
pytestmark = [pytest.mark.slow, pytest.mark.engine("sqlite")]


async def replies(town: Town, questions: list[Question]) -> dict[str, str]:
    """What each asker, a new one for every question, reads after saying where they are."""
    found = {}
    for number, question in enumerate(questions):
        person = town.person(f"demo_g_{number:06d}")
        if question.place:
            await person.says(f"我在{question.place}")
        found[question.id] = await person.says(question.text) or ""
    return found


async def test_the_same_replies_over_the_wire(database_url: str, clock: FrozenClock) -> None:
    questions = read_bank(gate.BANKS / "dev.jsonl")
    today = local_date(clock.now())
    async with running_town(database_url, clock, knowledge=gate.base) as town:
        over_the_wire = await replies(town, questions)
    batch = {item.id: gate.base().answer(item.text, Asker(today, item.place)) for item in questions}
    differing = [
        (item.text, over_the_wire[item.id], batch[item.id].text)
        for item in questions
        if passes(item, over_the_wire[item.id], batch[item.id]) != passes(item, batch[item.id].text, batch[item.id])
    ]
    assert not differing
    plain = [item for item in questions if batch[item.id].outcome is Outcome.ANSWERED]
    assert all(over_the_wire[item.id].startswith(batch[item.id].text.splitlines()[0]) for item in plain)


def passes(question: Question, text: str, answer: Answer) -> bool:
    return judge(question, text, answer.outcome) is None
