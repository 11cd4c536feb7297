"""Pupils: the list, one child's card, numbers in clear one at a time, and children nobody of whom can be reached."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Literal, TypeVar

from bot.clock import Clock
from bot.errors import InvalidInput
from bot.rights import Action, may
from bot.web.admin import AdminAnswer, AdminCall, AdminRoute, Page
from bot.web.tables import EXPORT_SIZE, Sheet, TableView, download_of
from handlers.accounts.admin import words
from handlers.accounts.domain import PupilStatus
from handlers.accounts.service.exports import ExportService
from handlers.accounts.service.people import LARGEST_PAGE, PeopleService, PupilFilter
from handlers.accounts.service.structure import StructureService
from handlers.accounts.service.views import PageOf, PupilView, UnreachableView

PUPILS: Final = "/pupils"
UNREACHABLE: Final = "/unreachable"
_FILTERS: Final = ("name", "school", "class", "status")
_ANY_STATUS: Final = "all"
_SORTS: Final[Mapping[str, Literal["class", "name", "guardians"]]] = {
    "class": "class", "name": "name", "guardians": "guardians",
}  # fmt: skip

Item = TypeVar("Item")


class PupilPages:
    """The handlers."""

    def __init__(
        self, people: PeopleService, structure: StructureService, exports: ExportService, clock: Clock
    ) -> None:
        self._people = people
        self._exports = exports
        self._structure = structure
        self._clock = clock

    def routes(self) -> tuple[AdminRoute, ...]:
        """All of them."""
        return (
            AdminRoute(method="GET", path=PUPILS, action=Action.PUPIL_VIEW, handle=self.pupils, menu="学生"),
            AdminRoute(method="GET", path=PUPILS + "/{pupil}", action=Action.PUPIL_VIEW, handle=self.pupil),
            AdminRoute(
                method="POST", path=PUPILS + "/{pupil}/reveal", action=Action.CONTACT_REVEAL, handle=self.reveal
            ),
            AdminRoute(
                method="GET", path=UNREACHABLE, action=Action.REACH_VIEW, handle=self.unreachable, menu="联系不上的学生"
            ),
        )

    # ----------------------------------------------------------------------------------------------------------- lists
    async def pupils(self, call: AdminCall) -> AdminAnswer:
        """The pupils within reach."""
        view = TableView.of(call, PUPILS, filters=_FILTERS, sorts=("class", "name"))
        schools = [(each.id, each.name) for each in await self._structure.schools(call.actor)]
        values = {"view": view, "schools": schools, "statuses": words.STATUSES, "can_search": _can_search(call)}
        wanted = _wanted(view)
        can_export = may(call.actor, Action.ROSTER_EXPORT)
        if view.wants_export and can_export:
            found = await every(lambda cursor: self._people.pupils(call.actor, _page(wanted, cursor, LARGEST_PAGE)))
            school, right = view.filters.get("school"), Action.ROSTER_EXPORT
            await self._exports.note(call.actor, right, "pupils", school_id=school, filters=view.filters)
            rows = [_cells(row) for row in found]
            return await download_of(self._sheet(call, "学生名单", words.PUPIL_HEAD, rows, self._said(view, schools)))
        try:
            page = await self._people.pupils(call.actor, _page(wanted, str(view.offset or ""), view.size))
        except InvalidInput as fault:
            page, values["fault"] = PageOf([], 0), fault.message
        return Page("accounts/pupils.html", {"fault": "", **values, "page": page, "can_export": can_export})

    async def unreachable(self, call: AdminCall) -> AdminAnswer:
        """Children none of whose guardians is bound."""
        view = TableView.of(call, UNREACHABLE, filters=("school",), sorts=tuple(_SORTS))
        schools = [(each.id, each.name) for each in await self._structure.schools(call.actor)]
        school = view.filters.get("school")
        if view.wants_export:
            found = await every(lambda cursor: self._unreachable(call, view, cursor, LARGEST_PAGE))
            right = Action.REACH_VIEW
            await self._exports.note(call.actor, right, "unreachable", school_id=school, filters=view.filters)
            rows = [(row.name, row.school, row.class_name, row.guardians) for row in found]
            said = self._said(view, schools)
            return await download_of(self._sheet(call, "联系不上的学生", words.UNREACHABLE_HEAD, rows, said))
        page = await self._unreachable(call, view, str(view.offset or ""), view.size)
        return Page("accounts/unreachable.html", {"view": view, "schools": schools, "page": page})

    async def _unreachable(
        self, call: AdminCall, view: TableView, cursor: str | None, size: int
    ) -> PageOf[UnreachableView]:
        return await self._people.unreachable(
            call.actor,
            school_id=view.filters.get("school"),
            order=_SORTS[view.sort],
            is_descending=view.is_descending,
            cursor=cursor,
            limit=size,
        )

    # ------------------------------------------------------------------------------------------------------- one pupil
    async def pupil(self, call: AdminCall) -> AdminAnswer:
        """One child's card, numbers masked."""
        return await self._card(call, {})

    async def reveal(self, call: AdminCall) -> AdminAnswer:
        """The card again, with one number in clear. That it was shown is written down."""
        kind: Literal["pupil", "person"] = "person" if call.form.get("kind") == "person" else "pupil"
        own, field = call.form_id("id"), call.form.get("field", "")
        shown = await self._people.reveal(call.actor, kind, own, field)
        return await self._card(call, {f"{own}.{field}": shown or words.NOT_FILLED})

    async def _card(self, call: AdminCall, shown: Mapping[str, str]) -> Page:
        card = await self._people.pupil(call.actor, call.id("pupil"))
        values: dict[str, Any] = {"card": card, "shown": shown, "statuses": words.STATUSES, "reasons": words.REASONS}
        return Page("accounts/pupil.html", {**values, "sexes": words.SEXES})

    # ---------------------------------------------------------------------------------------------------------- export
    def _sheet(
        self, call: AdminCall, title: str, head: tuple[str, ...], rows: Sequence[Sequence[object]], said: list[str]
    ) -> Sheet:
        return Sheet(
            title=title, head=head, rows=rows, filters=said, exporter=call.actor.name or "", at=self._clock.now()
        )

    def _said(self, view: TableView, schools: list[tuple[str, str]]) -> list[str]:
        """The filter in words."""
        chosen = view.filters
        named = dict(schools).get(chosen.get("school", ""), "")
        status = chosen.get("status", PupilStatus.ENROLLED.value)
        state = "全部" if status == _ANY_STATUS else words.STATUSES[PupilStatus(status)]
        parts = {"姓名含": chosen.get("name", ""), "学校": named, "状态": state}
        return [f"{title}：{said}" for title, said in parts.items() if said]


async def every(ask: Callable[[str | None], Awaitable[PageOf[Item]]]) -> list[Item]:
    """All of many, page by page, up to the largest export."""
    found: list[Item] = []
    cursor: str | None = None
    while True:
        page = await ask(cursor)
        found += page.items
        cursor = page.next_cursor
        if cursor is None or len(found) >= EXPORT_SIZE:
            return found


def _can_search(call: AdminCall) -> bool:
    return may(call.actor, Action.PUPIL_SEARCH)


def _wanted(view: TableView) -> PupilFilter:
    chosen = view.filters
    status = chosen.get("status", PupilStatus.ENROLLED.value)
    known = {each.value for each in PupilStatus}
    return PupilFilter(
        name=chosen.get("name", ""),
        school_id=chosen.get("school"),
        class_id=chosen.get("class"),
        status=PupilStatus(status) if status in known else None,
        order="name" if view.sort == "name" else "class",
        is_descending=view.is_descending,
    )


def _page(wanted: PupilFilter, cursor: str | None, size: int) -> PupilFilter:
    return replace(wanted, cursor=cursor or None, limit=size)


def _cells(row: PupilView) -> tuple[object, ...]:
    return (
        row.name,
        row.school,
        row.class_name,
        row.roster_number,
        words.STATUSES[row.status],
        row.guardians,
        row.bound,
    )
