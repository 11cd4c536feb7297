"""What families thought of a term: few questions, counts only, and no count that points at somebody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bot.errors import Conflict, InvalidInput

SMALLEST_CELL: Final = 5
"""A count below this could be of people somebody knows."""
SATISFIED: Final = frozenset({1, 2})
"""The choices that count as satisfied: the first two of each question."""
CHOICES: Final = 4


class PollClosed(Conflict):
    """Nobody is asked now."""

    code = "poll_closed"
    default_message = "现在没有要填的满意度调查，谢谢您关心。"


class PollAnswered(Conflict):
    """The same family answers once."""

    code = "poll_answered"
    default_message = "您已经填过了，不用再填。谢谢您的意见。"


class AnswersInvalid(InvalidInput):
    """Not every question has one of its answers."""

    code = "poll_answers_invalid"
    default_message = "每个问题都要选一项，请补上再交。"


class PollInvalid(InvalidInput):
    """It would end before it begins."""

    code = "poll_invalid"
    default_message = "截止时间要晚于现在，请改一下再交。"


@dataclass(frozen=True, slots=True)
class Cell:
    """How often a choice was taken; None where telling would point at somebody."""

    choice: int
    times: int | None


def checked_answers(questions: Sequence[str], answers: Mapping[str, int]) -> dict[str, int]:
    """One choice for each question. Raises AnswersInvalid."""
    if set(answers) != set(questions) or any(not 1 <= choice <= CHOICES for choice in answers.values()):
        raise AnswersInvalid
    return {question: answers[question] for question in questions}


def shown(times: Mapping[int, int]) -> list[Cell] | None:
    """What may be told of a question's counts: None for nothing at all. When one small cell would be left out alone,
    anybody could subtract: the next smallest goes with it."""
    cells = {choice: times.get(choice, 0) for choice in range(1, CHOICES + 1)}
    if sum(cells.values()) < SMALLEST_CELL:
        return None
    hidden = {choice for choice, number in cells.items() if 0 < number < SMALLEST_CELL}
    if len(hidden) == 1:
        rest = {choice: number for choice, number in cells.items() if choice not in hidden}
        hidden.add(min(rest, key=lambda choice: (rest[choice] == 0, rest[choice], choice)))
    return [Cell(choice, None if choice in hidden else number) for choice, number in cells.items()]


def satisfied_percent(times: Mapping[int, int]) -> int | None:
    """The share of the satisfied in whole per cent, rounded down; None where it would point at somebody: too few
    answered, or too few on one side."""
    total = sum(times.values())
    happy = sum(number for choice, number in times.items() if choice in SATISFIED)
    sides = (happy, total - happy)
    if total < SMALLEST_CELL or any(0 < side < SMALLEST_CELL for side in sides):
        return None
    return happy * 100 // total
