"""The form in which a notice is written: what was typed, exactly as it was typed, and what it means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from itertools import zip_longest
from typing import Final, TypeVar
from uuid import UUID

from bot.clock import SHANGHAI, to_local
from bot.web.admin import AdminCall
from handlers.accounts.service.audience import Audience, AudienceRole
from handlers.notices.admin import words
from handlers.notices.domain import (
    MOST_LINKS,
    MOST_QUESTIONS,
    Confirmation,
    Link,
    NoticeContent,
    NoticeInvalid,
    Question,
    QuestionKind,
    Target,
    Who,
)
from handlers.notices.service.views import Choices, PlaceChoice

_FEWEST_ROWS: Final = 1
_SINGLE: Final = (
    "title", "text", "grade_from", "grade_to", "source", "confirmation", "who", "deadline", "send_at",
    "urgent", "remind_hours", "remind_times", "material", "township",
)  # fmt: skip

Kind = TypeVar("Kind", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class QuestionRow:
    """A question as it was typed: its choices one a line."""

    key: str = ""
    kind: str = QuestionKind.CHOICE.value
    text: str = ""
    choices: str = ""
    required: str = "yes"

    @property
    def is_blank(self) -> bool:
        """Nothing was typed."""
        return not self.text.strip() and not self.choices.strip()


@dataclass(frozen=True, slots=True)
class LinkRow:
    """A link as it was typed."""

    title: str = ""
    url: str = ""

    @property
    def is_blank(self) -> bool:
        """Nothing was typed."""
        return not self.title.strip() and not self.url.strip()


@dataclass(frozen=True, slots=True)
class Form:
    """Everything in the form, as text. `version`: of the notice it was filled from, "" for a new one."""

    fields: Mapping[str, str]
    roles: frozenset[str] = frozenset()
    schools: frozenset[str] = frozenset()
    classes: frozenset[str] = frozenset()
    pupils: frozenset[str] = frozenset()
    links: tuple[LinkRow, ...] = ()
    questions: tuple[QuestionRow, ...] = ()
    version: str = ""
    # Of the notice that is written on: who was unticked, on a page of its own, stays so.
    kept: Target | None = field(default=None)
    is_correction: bool = False

    @classmethod
    def empty(cls, choices: Choices) -> Form:
        """A fresh one; a place that is the only one is chosen already."""
        only_class = frozenset(each.id for each in choices.classes) if len(choices.classes) == 1 else frozenset()
        return cls(_usual(), frozenset({AudienceRole.GUARDIANS.value}), classes=only_class).with_rows()

    @classmethod
    def of_call(cls, call: AdminCall, kept: Target | None = None, *, is_correction: bool = False) -> Form:
        """What was sent. A correction goes to whom the notice went to: its audience is not in the form."""
        lists = call.lists
        rows = [
            QuestionRow(*(part or "" for part in parts))
            for parts in zip_longest(*(lists.get(name, ()) for name in _QUESTION_FIELDS))
        ]
        links = [
            LinkRow(title or "", url or "")
            for title, url in zip_longest(lists.get("link_title", ()), lists.get("link_url", ()))
        ]
        return cls(
            {name: call.form.get(name, "") for name in _SINGLE},
            frozenset(lists.get("role", ())),
            schools=_ids(lists.get("school", ())),
            classes=_ids(lists.get("class", ())),
            pupils=_ids(lists.get("pupil", ())),
            links=tuple(links[:MOST_LINKS]),
            questions=tuple(rows[:MOST_QUESTIONS]),
            version=call.form.get("version", ""),
            kept=kept,
            is_correction=is_correction,
        ).with_rows()

    @classmethod
    def of_content(cls, content: NoticeContent, version: int, *, is_correction: bool = False) -> Form:
        """A notice to be written on, or corrected."""
        target, audience = content.target, content.target.audience
        first, last = audience.grades or ("", "")
        fields = {
            "title": content.title,
            "text": content.text,
            "grade_from": str(first),
            "grade_to": str(last),
            "source": f"{target.source}|{target.choice}" if target.source else "",
            "confirmation": content.confirmation.value,
            "who": content.who.value,
            "deadline": _typed(content.deadline),
            "send_at": _typed(content.send_at),
            "urgent": "yes" if content.is_urgent else "",
            "remind_hours": str(content.remind_hours),
            "remind_times": str(content.remind_times),
            "material": "yes" if content.is_material else "no",
            "township": audience.township_id or "",
        }
        questions = [
            QuestionRow(
                each.key, each.kind.value, each.text, "\n".join(each.choices), "yes" if each.is_required else "no"
            )
            for each in content.questions
        ]
        return cls(
            fields,
            frozenset(each.value for each in audience.roles),
            schools=audience.schools,
            classes=audience.classes,
            pupils=audience.pupil_ids,
            links=tuple(LinkRow(each.title, each.url) for each in content.links),
            questions=tuple(questions),
            version=str(version),
            kept=target,
            is_correction=is_correction,
        ).with_rows()

    def with_rows(self, *, question: bool = False, link: bool = False) -> Form:
        """With a blank row to write on at the end of each list, or one more."""
        asked = max(_FEWEST_ROWS, len(self.questions) + question)
        linked = max(_FEWEST_ROWS, len(self.links) + link)
        blank = [QuestionRow()] * (min(asked, MOST_QUESTIONS) - len(self.questions))
        further = [LinkRow()] * (min(linked, MOST_LINKS) - len(self.links))
        return replace(self, questions=(*self.questions, *blank), links=(*self.links, *further))

    @property
    def has_questions(self) -> bool:
        """Whether any question was typed."""
        return not all(each.is_blank for each in self.questions)

    def has_any(self, places: Iterable[PlaceChoice]) -> bool:
        """Whether one of the classes is ticked."""
        return any(each.id in self.classes for each in places)

    @property
    def can_ask_more(self) -> bool:
        """Whether there is room for another question."""
        return len(self.questions) < MOST_QUESTIONS

    @property
    def can_link_more(self) -> bool:
        """Whether there is room for another link."""
        return len(self.links) < MOST_LINKS

    def __getitem__(self, name: str) -> str:
        """One of the single fields."""
        return self.fields[name]

    def content(self, choices: Choices) -> NoticeContent:
        """What it means. Raises NoticeInvalid, saying which field to put right."""
        confirmation = _one_of(Confirmation, self["confirmation"], words.NO_CONFIRMATION)
        return NoticeContent(
            title=self["title"],
            text=self["text"].replace("\r\n", "\n"),
            target=self._target(choices),
            links=tuple(Link(each.title.strip(), each.url.strip()) for each in self.links if not each.is_blank),
            deadline=_read(self["deadline"], words.BAD_DEADLINE),
            confirmation=confirmation,
            who=_one_of(Who, self["who"], words.NO_WHO),
            questions=self._questions() if confirmation is Confirmation.FORM else (),
            is_urgent=self["urgent"] == "yes",
            send_at=_read(self["send_at"], words.BAD_SEND_AT),
            remind_hours=_number(self["remind_hours"], words.BAD_REMIND),
            remind_times=_number(self["remind_times"], words.BAD_REMIND),
            is_material=self["material"] != "no",
        )

    def _questions(self) -> tuple[Question, ...]:
        found: list[Question] = []
        taken = {row.key for row in self.questions}
        fresh = (f"q{number}" for number in range(1, 2 * MOST_QUESTIONS + 1) if f"q{number}" not in taken)
        for row in self.questions:
            if row.is_blank:
                continue
            kind = _one_of(QuestionKind, row.kind, words.NO_QUESTION_KIND)
            lines = [" ".join(line.split()) for line in row.choices.splitlines()]
            choices = tuple(line for line in lines if line) if kind is QuestionKind.CHOICE else ()
            found.append(Question(row.key or next(fresh), kind, row.text.strip(), choices, row.required != "no"))
        return tuple(found)

    def _target(self, choices: Choices) -> Target:
        if self.is_correction and self.kept is not None:
            return self.kept
        source, _, choice = self["source"].partition("|")
        if source and (source, choice) not in {(each.source, each.choice) for each in choices.sources}:
            raise NoticeInvalid(words.NO_SOURCE)
        roles = {each.value: each for each in words.ROLES}
        if not self.roles or not self.roles <= roles.keys():
            raise NoticeInvalid(words.NO_ROLE)
        schools, classes = self._places(choices)
        before = self.kept.audience if self.kept else None
        audience = Audience(
            roles=frozenset(roles[each] for each in self.roles),
            township_id=self._township(choices),
            schools=schools,
            classes=classes,
            grades=self._grades(),
            pupil_ids=self.pupils,
            person_ids=before.person_ids if before else frozenset(),
            without_pupils=before.without_pupils if before else frozenset(),
            without_persons=before.without_persons if before else frozenset(),
        )
        return Target(audience, source, choice)

    def _township(self, choices: Choices) -> str | None:
        known = [each.id for each in choices.townships]
        if self["township"] in known:
            return self["township"]
        return known[0] if known else None

    def _places(self, choices: Choices) -> tuple[frozenset[str], frozenset[str]]:
        """Schools, or classes: with single classes chosen, a whole school counts as all its classes."""
        open_classes = {each.id: each.school_id for each in choices.classes}
        schools = self.schools & {each.id for each in choices.schools}
        classes = self.classes & set(open_classes)
        if not classes:
            return schools, frozenset()
        return frozenset(), classes | {own for own, school in open_classes.items() if school in schools}

    def _grades(self) -> tuple[int, int] | None:
        first, last = self["grade_from"], self["grade_to"]
        if not first and not last:
            return None
        known = dict(words.GRADES)
        if not {first or last, last or first} <= known.keys():
            raise NoticeInvalid(words.BAD_GRADES)
        span = (int(first or last), int(last or first))
        if span[0] > span[1]:
            raise NoticeInvalid(words.BAD_GRADES)
        return span


_QUESTION_FIELDS: Final = ("q_key", "q_kind", "q_text", "q_choices", "q_required")


def _usual() -> dict[str, str]:
    return {
        **dict.fromkeys(_SINGLE, ""),
        "confirmation": Confirmation.OPENED.value,
        "who": Who.ANY.value,
        "remind_hours": "24",
        "remind_times": "1",
        "material": "yes",
    }


def _ids(given: Iterable[str]) -> frozenset[str]:
    """Those that can be ids; anything else did not come from our form."""
    found = set()
    for each in given:
        try:
            found.add(str(UUID(each)))
        except ValueError:
            continue
    return frozenset(found)


def _one_of(kind: type[Kind], given: str, fault: str) -> Kind:
    try:
        return kind(given)
    except ValueError:
        raise NoticeInvalid(fault) from None


def _number(given: str, fault: str) -> int:
    if not (given.isascii() and given.isdigit() and len(given) < 4):
        raise NoticeInvalid(fault)
    return int(given)


def _read(given: str, fault: str) -> datetime | None:
    """A moment as the browser's field gives it, which is the clock on the wall here."""
    if not given.strip():
        return None
    try:
        found = datetime.fromisoformat(given.strip())
    except ValueError:
        raise NoticeInvalid(fault) from None
    return found.replace(tzinfo=SHANGHAI) if found.tzinfo is None else found


def _typed(at: datetime | None) -> str:
    return f"{to_local(at):%Y-%m-%dT%H:%M}" if at is not None else ""
