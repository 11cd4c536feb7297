"""What is asked: questions of the banks as they are, and with slips of the thumb that make each one new."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bot.clock import SHANGHAI
from handlers.policy.domain import place_said
from knowledge.base import KnowledgeBase
from knowledge.entry import ROLE_CODES, Audience
from knowledge.evaluation import Question as BankQuestion
from knowledge.evaluation import read_bank
from knowledge.frame import Asker, is_follow_up
from knowledge.normalise import normalise
from tests.bench.load import Question

BANKS = Path(__file__).parent.parent / "banks"
_INSERTED = "的了啊这那个一就是嘛呀都还要有在"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and who asks it."""

    text: str
    asker: Asker


def today_asker(place: str | None = None, role: Audience | None = Audience.PARENT) -> Asker:
    """Somebody who asks today."""
    return Asker(datetime.now(SHANGHAI).date(), place, role)


def bank_questions() -> list[BankQuestion]:
    """All of them."""
    return [question for path in sorted(BANKS.glob("*.jsonl")) for question in read_bank(path)]


def policy_questions(base: KnowledgeBase) -> list[Question]:
    """Questions that a parent of no known place asks, each with the reply of the knowledge itself.

    Left out is what does not come from the answer cache: alarms, a statement of one's place, and questions so bare
    that they lean on the one before.
    """
    asker = today_asker()
    found = []
    for question in bank_questions():
        if question.place is not None or question.role != "parent" or place_said(question.text) is not None:
            continue
        frame = base.framer.frame(question.text, asker)
        answer = base.answer(question.text, asker)
        if answer.alarm is None and not is_follow_up(frame, base.lexicon.tokenizer.words(frame.text)):
            found.append(Question(question.text, answer.text))
    return found


def new_questions(count: int, *, seed: int) -> list[Asked]:
    """So many questions of the banks, each with slips, no two of them the same once normalised."""
    chance = random.Random(seed)
    known: set[str] = set()
    found: list[Asked] = []
    for question in _again_and_again(chance):
        text = _slipped(question.text, chance)
        form = normalise(text)
        if form in known:
            continue
        known.add(form)
        found.append(Asked(text, today_asker(question.place, ROLE_CODES.get(question.role or ""))))
        if len(found) == count:
            break
    return found


def _again_and_again(chance: random.Random) -> Iterator[BankQuestion]:
    questions = bank_questions()
    while True:
        yield from chance.sample(questions, len(questions))


def _slipped(text: str, chance: random.Random) -> str:
    """The text with one or two slips: characters in the wrong order, left out, doubled, or one too many."""
    characters = list(text)
    for _ in range(chance.choice((1, 2))):
        at = chance.randrange(len(characters))
        match chance.randrange(4):
            case 0 if at:
                characters[at - 1], characters[at] = characters[at], characters[at - 1]
            case 1 if len(characters) > 6:
                del characters[at]
            case 2:
                characters.insert(at, characters[at])
            case _:
                characters.insert(at, chance.choice(_INSERTED))
    return "".join(characters)
