"""Pages about how a notice fares: the report, the families one by one, ticks on their behalf, another send."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bot.clock import Clock
from bot.errors import AppError
from bot.rights import Action
from bot.web.admin import AdminAnswer, AdminCall, AdminRoute, Page, WayOn
from bot.web.tables import EXPORT_SIZE, Sheet, TableView, download_of
from handlers.notices.admin import words
from handlers.notices.admin.charts import Bar, Part, stacked
from handlers.notices.admin.composing import NOTICES, ONE
from handlers.notices.domain import BY_HAND, Confirmation, NoticeInvalid
from handlers.notices.service.chasing import NoticeChasing
from handlers.notices.service.reports import NoticeReports
from handlers.notices.service.views import ChildOutcome, Count, NoticeView, Report

_WAITING, _UNTOLD, _ALL = "waiting", "untold", "all"
_MOST_BARS: Final = 20
_SHARES: Final = (Part("已回应", "c1"), Part("已通知到", "c2"), Part("没通知到", "c4"))
_TOLD: Final = (Part("已看过", "c1"), Part("已通知到", "c2"), Part("没通知到", "c4"))


@dataclass(frozen=True, slots=True)
class Family:
    """A line of the list: a child, and whether there is something to tick."""

    child: ChildOutcome
    can_tick: bool


class ReportingPages:
    """The handlers."""

    def __init__(self, reports: NoticeReports, chasing: NoticeChasing, clock: Clock) -> None:
        self._reports = reports
        self._chasing = chasing
        self._clock = clock

    def routes(self) -> tuple[AdminRoute, ...]:
        """All of them."""
        see, write = Action.NOTICE_REPORT, Action.NOTICE_WRITE
        return (
            AdminRoute(method="GET", path=ONE + "/report", action=see, handle=self.report),
            AdminRoute(method="GET", path=ONE + "/families", action=see, handle=self.families),
            AdminRoute(method="POST", path=ONE + "/tick", action=see, handle=self.tick),
            AdminRoute(method="POST", path=ONE + "/untick", action=see, handle=self.untick),
            AdminRoute(method="GET", path=ONE + "/remind", action=write, handle=self.remind_form),
            AdminRoute(method="POST", path=ONE + "/remind", action=write, handle=self.remind),
        )

    # ---------------------------------------------------------------------------------------------------------- report
    async def report(self, call: AdminCall) -> AdminAnswer:
        """By school and by class, drawn and in numbers."""
        if call.query.get("export") == "xlsx":
            return await self._workbook(call)
        report = await self._reports.report(call.actor, call.id("notice"))
        is_asked = _is_asked(report.notice)
        named = [(words.CHANNELS.get(name, ("", name))[1], count) for name, count in report.by_channel.items()]
        channels = [row for row in named if row[1]]
        values = {
            "item": report.notice,
            "report": report,
            "is_asked": is_asked,
            "school_chart": _chart("schools", "各学校的孩子家里", report.schools, is_asked)
            if len(report.schools) > 1
            else "",
            "class_chart": _chart("classes", "各班的孩子家里", report.classes, is_asked),
            "channel_rows": channels,
            "channel_chart": _shares("channels", "怎样通知到的", channels),
            "way_rows": [(_way(name), count) for name, count in report.by_way.items() if count],
            "answers": _answers(report),
            "words": words.SHOWN,
        }
        return Page("notices/report.html", values)

    async def _workbook(self, call: AdminCall) -> AdminAnswer:
        exported = await self._reports.sheet(call.actor, call.id("notice"))
        return await download_of(
            Sheet(
                title=words.SHEET.format(number=exported.notice.number),
                head=exported.head,
                rows=exported.rows[:EXPORT_SIZE],
                filters=[words.SHEET_FILTER.format(title=exported.notice.content.title)],
                exporter=call.actor.name or "",
                at=self._clock.now(),
            )
        )

    # -------------------------------------------------------------------------------------------------------- families
    async def families(self, call: AdminCall) -> AdminAnswer:
        """Child by child, those still to be told or to answer first."""
        return await self._families(call)

    async def _families(self, call: AdminCall, fault: str = "") -> Page:
        own = call.id("notice")
        report = await self._reports.report(call.actor, own)
        notice, is_asked = report.notice, _is_asked(report.notice)
        source = {**call.query, **{name: call.form[name] for name in ("class", "only", "page") if name in call.form}}
        call_view = AdminCall(call.actor, call.path, source)
        view = TableView.of(call_view, f"{NOTICES}/{own}/families", filters=("class", "only"), sorts=("open",))
        only = view.filters.get("only", _WAITING if is_asked else _UNTOLD)
        rooms = [(room.class_id, room.title) for room in report.classes]
        chosen = view.filters.get("class", "")
        class_id = chosen if chosen in dict(rooms) else None
        found = await self._reports.families(call.actor, own, class_id=class_id)
        kept = [child for child in found if _WANTED.get(only, _every)(child)]
        kept.sort(key=lambda child: child.is_reached)
        rows = kept[view.offset : view.offset + view.size]
        values = {
            "item": notice,
            "view": view,
            "only": only,
            "onlys": words.ONLY_ASKED if is_asked else words.ONLY_TOLD,
            "rooms": rooms,
            "rows": [Family(child, _can_tick(child, is_asked)) for child in rows],
            "total": len(kept),
            "is_asked": is_asked,
            "can_tick": True,
            "can_remind": "remind" in notice.may,
            "by_hand": words.BY_HAND,
            "has_questions": bool(notice.content.questions),
            "question_words": {each.key: each.text for each in notice.content.questions},
            "fault": fault,
            "words": words.SHOWN,
        }
        return Page("notices/families.html", values, 422 if fault else 200)

    async def tick(self, call: AdminCall) -> AdminAnswer:
        """These families were told by a person, and perhaps agreed."""
        own, children = call.id("notice"), call.form_ids("child")
        try:
            how = next((each for each in BY_HAND if each.value == call.form.get("how")), None)
            if how is None or not children:
                raise NoticeInvalid(words.NO_HOW if children else words.NO_CHILD_TICKED)
            await self._chasing.tick(call.actor, own, children, how, is_confirmed=call.form.get("agreed") == "yes")
        except AppError as fault:
            if fault.denial is not None:
                raise
            return await self._families(call, fault.message)
        return WayOn(_back(call, own), words.TOLD.format(count=len(children), how=words.WAYS[how]))

    async def untick(self, call: AdminCall) -> AdminAnswer:
        """What was entered for a family was a mistake."""
        own = call.id("notice")
        try:
            await self._chasing.untick(call.actor, own, call.form_id("child"))
        except AppError as fault:
            if fault.denial is not None:
                raise
            return await self._families(call, fault.message)
        return WayOn(_back(call, own), words.UNTICKED)

    # ----------------------------------------------------------------------------------------------------------- again
    async def remind_form(self, call: AdminCall) -> AdminAnswer:
        """Who would be reminded."""
        return await self._remind_page(call)

    async def _remind_page(self, call: AdminCall, fault: str = "") -> Page:
        report = await self._reports.report(call.actor, call.id("notice"))
        waiting = report.total.children - report.total.confirmed
        values = {
            "item": report.notice,
            "effects": words.reminded(report.notice, waiting),
            "can": "remind" in report.notice.may and waiting > 0,
            "fault": fault,
        }
        return Page("notices/remind.html", values, 409 if fault else 200)

    async def remind(self, call: AdminCall) -> AdminAnswer:
        """Once more to those who have not answered."""
        own = call.id("notice")
        try:
            count = await self._chasing.remind(call.actor, own)
        except AppError as fault:
            if fault.denial is not None:
                raise
            return await self._remind_page(call, fault.message)
        return WayOn(f"{NOTICES}/{own}", words.REMINDED.format(count=count))


def _back(call: AdminCall, notice: str) -> str:
    """The list as it was looked at."""
    query = "&".join(f"{name}={call.form[name]}" for name in ("class", "only") if call.form.get(name))
    return f"{NOTICES}/{notice}/families?{query}"


def _every(_: ChildOutcome) -> bool:
    return True


_WANTED: Final[Mapping[str, Callable[[ChildOutcome], bool]]] = {
    _WAITING: lambda child: not child.is_confirmed,
    _UNTOLD: lambda child: not child.is_reached,
}


def _is_asked(notice: NoticeView) -> bool:
    return notice.content.confirmation is not Confirmation.NONE


def _can_tick(child: ChildOutcome, is_asked: bool) -> bool:
    return not child.is_confirmed if is_asked else not child.is_reached


def _chart(ident: str, title: str, counts: Sequence[Count], is_asked: bool) -> Any:
    """The least done first; a long list is drawn as far as somebody still looks, the table has it all."""
    if not counts:
        return ""
    bars = [Bar(count.title, _numbers(count, is_asked)) for count in counts]
    bars.sort(key=lambda bar: bar.numbers[0] / bar.total if bar.total else 1)
    return stacked(ident, title, _SHARES if is_asked else _TOLD, bars[:_MOST_BARS])


def _several(counts: Sequence[Count]) -> Sequence[Count]:
    """One alone is the same as the whole."""
    return counts if len(counts) > 1 else ()


def _numbers(count: Count, is_asked: bool) -> tuple[int, int, int]:
    done = count.confirmed if is_asked else count.opened
    reached = max(0, count.children - count.not_reached - done)
    return (done, reached, max(0, count.children - done - reached))


def _shares(ident: str, title: str, rows: Sequence[tuple[str, int]]) -> Any:
    total = sum(count for _, count in rows)
    parts = (Part("人数", "c1"), Part("其余", "c4"))
    return stacked(ident, title, parts, [Bar(name, (count, total - count)) for name, count in rows])


def _answers(report: Report) -> list[tuple[str, Any, list[tuple[str, int]]]]:
    """Each choice question: its words, drawn, and in numbers."""
    found = []
    for number, question in enumerate(report.notice.content.questions, 1):
        counts = report.choices.get(question.key)
        if counts is None:
            continue
        rows = [(choice, counts.get(choice, 0)) for choice in question.choices]
        title = f"第{number}题：{question.text}"
        found.append((title, _shares(f"answers-{number}", title, rows), rows))
    return found


def _way(name: str) -> str:
    return next((text for how, text in words.WAYS.items() if how.value == name), name)
