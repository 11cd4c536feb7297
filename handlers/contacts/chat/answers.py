"""What is asked next in the dialogue of a record, and how an answer becomes a field of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from enum import StrEnum

from bot.dialogue.prompts import Choice, Confirm, NotUnderstood
from handlers.contacts.chat.wording import due_words
from handlers.contacts.domain.forms import joined, parted
from handlers.contacts.domain.notes import FollowUp, How, named
from handlers.contacts.domain.numbers import OTHER
from handlers.contacts.domain.records import ContactOutcome
from handlers.contacts.service.recording.today import OwnChild
from handlers.contacts.texts import recording as texts
from handlers.contacts.texts.cards import HOLDERS

CHILD, NAME = "child", "name"
"""Whom it is about, beside the fields of the record."""


class Step(StrEnum):
    """Where somebody is in the dialogue."""

    RESUME = "resume"
    CHILD = "child"
    HOW = "how"
    FINDING = "finding"
    FOLLOW = "follow"
    SURE = "sure"
    NUMBER = "number"
    ASKED = "asked"


def open_question(filled: Mapping[str, str], name: str) -> tuple[Step | None, str]:
    """The first that is not answered; None: nothing is open."""
    if not filled.get("way") or not filled.get("outcome"):
        return Step.HOW, texts.HOW.format(name=name)
    if filled["outcome"] == ContactOutcome.FAILED.value:
        return None, ""
    if not filled.get("met"):
        return Step.HOW, texts.HOW.format(name=name)
    if not filled.get("finding"):
        return Step.FINDING, texts.FINDING
    if "follow_up" not in filled:
        return Step.FOLLOW, texts.FOLLOW
    return None, ""


def child_meant(children: Sequence[OwnChild], text: str) -> OwnChild:
    """By number or name. Raises NotUnderstood."""
    found = named(text, names_of(children))
    if len(found) == 1:
        return child_of(children, found[0])
    if len(found) > 1:
        raise NotUnderstood(texts.SEVERAL)
    try:
        return Choice([(each.ward.name, each) for each in children]).read(text)
    except NotUnderstood:
        raise NotUnderstood(texts.WHICH_AGAIN) from None


def child_line(child: OwnChild, today: date) -> str:
    """A child in the list."""
    ward = child.ward
    return texts.CHILD_LINE.format(name=ward.name, class_name=ward.class_name, due=due_words(child.due_on, today))


def names_of(children: Sequence[OwnChild]) -> dict[str, str]:
    """By id."""
    return {each.ward.id: each.ward.name for each in children}


def child_of(children: Sequence[OwnChild], child_id: str) -> OwnChild:
    """One of them."""
    return next(each for each in children if each.ward.id == child_id)


def chosen(child: OwnChild) -> dict[str, str]:
    """As the dialogue keeps it."""
    return {CHILD: child.ward.id, NAME: child.ward.name}


def how_fields(how: How) -> dict[str, str]:
    """What was said of the way and of who was met."""
    said = {
        "way": how.way.value if how.way else "",
        "outcome": how.outcome.value if how.outcome else "",
        "met": joined(each.value for each in how.met),
    }
    return {name: value for name, value in said.items() if value}


def follow_fields(found: FollowUp) -> dict[str, str]:
    """What follows."""
    return {"follow_up": found.words, "follow_up_on": found.on.isoformat() if found.on else ""}


def whose_number(holders: str) -> Choice[str]:
    """The numbers of the card by whose they are, and none of them. `holders`: as the dialogue keeps them."""
    known = [(words, holder.value) for holder, words in HOLDERS.items() if holder.value in parted(holders)]
    return Choice([*known, (texts.OTHER_NUMBER, OTHER)])


def is_yes(text: str, again: str) -> bool:
    """Raises NotUnderstood with `again`."""
    try:
        return Confirm().read(text)
    except NotUnderstood:
        raise NotUnderstood(again) from None
