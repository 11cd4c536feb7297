"""What the knowledge base gives back: an answer with its outcome, citations and options."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from knowledge.entry import Citation, Stage
from knowledge.safety import Alarm


class Outcome(StrEnum):
    """The four outcomes of a question, and small talk (contract `outcome`)."""

    ANSWERED = "answered"
    CLARIFY = "clarify"
    DECLINED = "declined"
    HANDED_OFF = "handed_off"
    SMALL_TALK = "small_talk"


@dataclass(frozen=True, slots=True)
class Option:
    """One numbered choice. Exactly one of `key` (an entry), `place`, `stage` is set; the latter two ask again."""

    label: str
    key: str | None = None
    place: str | None = None
    stage: Stage | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply ready to be sent.

    `text` is what the user reads (≤ 2,048 bytes of UTF-8). `article` names the entry answered from, or the known gap.
    `options` are numbered from 1 in the text. `alarm` is set when something goes before the knowledge.
    `reason` says in a few words why this outcome was chosen, for `--explain` and the log.
    """

    outcome: Outcome
    text: str
    citations: tuple[Citation, ...] = ()
    article: str | None = None
    options: tuple[Option, ...] = ()
    alarm: Alarm | None = None
    reason: str = ""
    question: str = ""
