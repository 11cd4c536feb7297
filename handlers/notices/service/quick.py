"""A notice in one sentence: 通知 三(2)班 明天带跳绳."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from bot.clock import Clock
from bot.delivery.quiet import QuietHours
from bot.errors import InvalidInput
from bot.identity import Actor
from bot.rights import Action, Reach, require
from handlers.accounts.domain import ClassName, ClassNameInvalid, parse_class_name
from handlers.accounts.service.audience import Audience, AudienceRole
from handlers.accounts.service.structure import StructureService
from handlers.accounts.service.views import ClassView, SchoolView
from handlers.notices import texts
from handlers.notices.domain import Confirmation, NoticeContent, NoticeRefused, Target
from handlers.notices.service.content import labels_in
from handlers.notices.service.desk import NoticeDesk
from handlers.notices.service.reach import NoticeReach
from handlers.notices.service.signing import NoticeSigning
from handlers.notices.service.views import NoticeView, Preview

LONGEST_AUTO_TITLE: Final = 20
_LONGEST_PLACE: Final = 14
_BETWEEN: Final = " \t\r\n\u3000:：,，。、-—"
_TOWN: Final = re.compile(r"全镇|全乡|全县")
_SCHOOL: Final = re.compile(r"全校|全体家长|全体|所有家长|全部家长")
_GRADE: Final = re.compile(r"([一二三四五六七八九1-9])年级(?![\d一二三四五六七八九十]|[（(])")
_DIGITS: Final = "零一二三四五六七八九"
_END: Final = re.compile(r"[。！!？?；;\n]")


class PlaceNotKnown(InvalidInput):
    """Which class is meant cannot be told, or it is not the writer's."""

    code = "place_not_known"


class NothingSaid(InvalidInput):
    """A place and no words."""

    code = "nothing_said"
    default_message = texts.WRITE_NO_TEXT


@dataclass(frozen=True, slots=True)
class Option:
    """One of the places that may be meant, in words."""

    label: str
    audience: Audience


@dataclass(frozen=True, slots=True)
class Quick:
    """What was written: whom it may be for, and the words."""

    options: Sequence[Option]
    text: str


class QuickNotices:
    """Writing in the chat: understood, shown, and only then sent."""

    def __init__(
        self,
        desk: NoticeDesk,
        reach: NoticeReach,
        signing: NoticeSigning,
        structure: StructureService,
        *,
        quiet: QuietHours,
        clock: Clock,
    ) -> None:
        self._desk = desk
        self._reach = reach
        self._signing = signing
        self._structure = structure
        self._quiet = quiet
        self._clock = clock

    async def understand(self, actor: Actor, said: str) -> Quick:
        """The place and the words. Raises PlaceNotKnown, NothingSaid, NoticeRefused for words that may not go out."""
        reach = require(actor, Action.NOTICE_WRITE)
        rest = said.strip(_BETWEEN)
        classes = await self._structure.classes(actor)
        schools = [each for each in await self._structure.schools(actor) if reach.is_any or _is_led(each, reach)]
        own = [each for each in classes if reach.is_any or _is_held(each, schools, reach.classes)]
        named, rest = _school_named(rest, [(each.school_id, each.school) for each in own])
        if named:
            own = [each for each in own if each.school_id == named]
            schools = [each for each in schools if each.id == named]
        options, text = _placed(rest, own, schools, sorted(reach.townships))
        text = text.strip(_BETWEEN)
        if not text:
            raise NothingSaid
        blocks = labels_in(_content(options[0].audience, text))
        if blocks:
            raise NoticeRefused(blocks[0].message)
        return Quick(options, text)

    async def draft(self, actor: Actor, option: Option, text: str) -> Preview:
        """The draft, and what would happen. Raises NobodyToTell, NoticeInvalid."""
        view = await self._desk.create(actor, _content(option.audience, text))
        return await self._reach.preview(actor, view.id)

    async def send(self, actor: Actor, notice_id: str, version: int, *, is_answered: bool) -> NoticeView:
        """It goes out, or waits for a second signature. `is_answered`: families are to confirm."""
        if is_answered:
            view = await self._desk.get(actor, notice_id)
            content = replace(view.content, confirmation=Confirmation.BUTTON)
            version = (await self._desk.edit(actor, notice_id, content, version)).version
        return await self._signing.submit(actor, notice_id, version)

    async def cancel(self, actor: Actor, notice_id: str) -> None:
        """The draft goes."""
        await self._desk.discard(actor, notice_id)

    async def recall(self, actor: Actor, number: int) -> NoticeView:
        """By its number: what has gone out already is recalled, what has not goes back to its author. Raises NotFound,
        IllegalNoticeMove."""
        notice_id = await self._signing.number(actor, number)
        view = await self._desk.get(actor, notice_id)
        if "take_back" in view.may:
            return await self._signing.take_back(actor, notice_id)
        return await self._signing.recall(actor, notice_id)

    def held_until(self) -> datetime | None:
        """When it goes out, if the phones are to be quiet now."""
        now = self._clock.now()
        allowed = self._quiet.next_allowed(now)
        return allowed if allowed > now else None


def _content(audience: Audience, text: str) -> NoticeContent:
    first = _END.split(text)[0].strip()
    short = first if len(first) <= LONGEST_AUTO_TITLE else first[: LONGEST_AUTO_TITLE - 1] + "…"
    return NoticeContent(title=short or text[:LONGEST_AUTO_TITLE], text=text, target=Target(audience))


def _is_led(school: SchoolView, reach: Reach) -> bool:
    return school.id in reach.schools or school.township_id in reach.townships


def _is_held(room: ClassView, schools: Sequence[SchoolView], classes: frozenset[str]) -> bool:
    return room.id in classes or any(room.school_id == each.id for each in schools)


def _school_named(rest: str, known: Sequence[tuple[str, str]]) -> tuple[str, str]:
    """The school a text begins with, and what follows; "" for none. A school is also called by the end of its name."""
    names = {name: own for own, name in known}
    for name in sorted(names, key=len, reverse=True):
        for start in range(0, max(1, len(name) - 3)):
            if rest.startswith(name[start:]):
                return names[name], rest[len(name) - start :].strip(_BETWEEN)
    return "", rest


def _placed(
    rest: str, rooms: Sequence[ClassView], schools: Sequence[SchoolView], towns: Sequence[str]
) -> tuple[list[Option], str]:
    guardians = frozenset({AudienceRole.GUARDIANS})
    if towns and (town := _TOWN.match(rest)):
        return [Option(town[0], Audience(roles=guardians, township_id=towns[0]))], rest[town.end() :]
    if schools and (whole := _SCHOOL.match(rest)):
        found = [Option(each.name, Audience(roles=guardians, schools=frozenset({each.id}))) for each in schools]
        return found, rest[whole.end() :]
    if schools and (grade := _GRADE.match(rest)):
        number = _DIGITS.index(grade[1]) if grade[1] in _DIGITS else int(grade[1])
        having = {room.school_id for room in rooms if room.grade == number}
        span = (number, number)
        found = [
            Option(f"{each.name}{grade[0]}", Audience(roles=guardians, schools=frozenset({each.id}), grades=span))
            for each in schools
            if each.id in having
        ]
        if found:
            return found, rest[grade.end() :]
    name, after = _class_named(rest)
    wanted = [room for room in rooms if name and (room.grade, room.number) == name]
    if not wanted and name is None and len(rooms) == 1:
        # Whoever has one class need not name it.
        wanted, after = list(rooms), rest
    if not wanted:
        raise PlaceNotKnown(texts.WRITE_NO_CLASS.format(said=rest[:_LONGEST_PLACE]))
    options = [
        Option(f"{each.school}{each.name}", Audience(roles=guardians, classes=frozenset({each.id}))) for each in wanted
    ]
    return options, after


def _class_named(rest: str) -> tuple[ClassName | None, str]:
    """The class a text begins with, and what follows: the longest beginning that reads as one."""
    for length in range(min(len(rest), _LONGEST_PLACE), 0, -1):
        head, after = rest[:length], rest[length:]
        if not head.endswith("班") and after and after[0] not in _BETWEEN:
            continue
        try:
            return parse_class_name(head.strip(_BETWEEN)), after
        except ClassNameInvalid:
            continue
    return None, rest
