"""Pages of rosters: upload, a dry run to look at, applying, undoing, history, templates and exports."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from bot.errors import AppError, InvalidInput, NotFound
from bot.rights import Action, may
from bot.web.admin import AdminAnswer, AdminCall, AdminRoute, Download, Page, WayOn
from handlers.accounts.domain import mask_number, mask_phone
from handlers.rosters import texts
from handlers.rosters.domain import Coverage, Difference, ExportPurpose, RosterKind, RowReport, RowState
from handlers.rosters.service.exports import ExportRequest, Workbook
from handlers.rosters.service.imports import Choice, Uploaded
from handlers.rosters.service.rosters import RosterService
from handlers.rosters.service.workbooks import CONTENT_TYPE

ROSTERS: Final = "/rosters"
_ONE: Final = ROSTERS + "/{import_id}"
# Small sheets are done before anybody would look at a bar.
_PATIENCE_S: Final = 2.0
_REFRESH_S: Final = 2
_PAGE: Final = 100
_MOST_TICKS: Final = 500


class RosterPages:
    """The handlers."""

    def __init__(self, service: RosterService) -> None:
        self._service = service

    def routes(self) -> tuple[AdminRoute, ...]:
        """All of them."""
        bring, take = Action.ROSTER_IMPORT, Action.ROSTER_EXPORT
        return (
            AdminRoute(method="GET", path=ROSTERS, action=bring, handle=self.home, menu=texts.MENU),
            AdminRoute(method="POST", path=ROSTERS, action=bring, handle=self.upload, takes_files=True),
            AdminRoute(method="GET", path=ROSTERS + "/template", action=bring, handle=self.template),
            AdminRoute(method="POST", path=ROSTERS + "/export", action=take, handle=self.export),
            AdminRoute(method="GET", path=_ONE, action=bring, handle=self.one),
            AdminRoute(method="GET", path=_ONE + "/problems", action=bring, handle=self.problems),
            AdminRoute(method="POST", path=_ONE + "/check", action=bring, handle=self.check),
            AdminRoute(method="POST", path=_ONE + "/apply", action=bring, handle=self.apply),
            AdminRoute(method="POST", path=_ONE + "/discard", action=bring, handle=self.discard),
            AdminRoute(method="GET", path=_ONE + "/undo", action=bring, handle=self.undo_form),
            AdminRoute(method="POST", path=_ONE + "/undo", action=bring, handle=self.undo),
        )

    # ------------------------------------------------------------------------------------------------------- first page
    async def home(self, call: AdminCall) -> AdminAnswer:
        """Uploading, templates, exports, and what was imported so far."""
        return await self._home(call, "")

    async def _home(self, call: AdminCall, fault: str) -> Page:
        can_export = may(call.actor, Action.ROSTER_EXPORT)
        start = _number(call.query.get("start"))
        values = {
            "fault": fault,
            "kinds": list(texts.KIND_WORDS.items()),
            "coverages": list(texts.COVERAGE_WORDS.items()),
            "purposes": list(texts.PURPOSE_WORDS.items()),
            "choices": await self._service.exports.choices(call.actor) if can_export else None,
            "rows": await self._service.imports.history(call.actor, start),
            "words": _WORDS,
        }
        return Page("rosters/home.html", values, 422 if fault else 200)

    async def upload(self, call: AdminCall) -> AdminAnswer:
        """A file comes in; what is wrong with it as a whole is said at once."""
        file = call.files.get("file")
        if file is None or not file.content:
            return await self._home(call, texts.NO_FILE)
        kind = _chosen(RosterKind, call.form.get("kind"))
        coverage = _chosen(Coverage, call.form.get("coverage"))
        try:
            import_id = await self._service.imports.upload(
                call.actor, Uploaded(kind, coverage, file.name, file.content)
            )
        except AppError as error:
            if error.denial is not None:
                raise
            return await self._home(call, error.message)
        await self._service.imports.finished(import_id, _PATIENCE_S)
        return WayOn(f"{ROSTERS}/{import_id}", texts.UPLOADED)

    async def template(self, call: AdminCall) -> AdminAnswer:
        """An empty sheet to fill in."""
        return _download(await self._service.exports.template(call.actor, _chosen(RosterKind, call.query.get("kind"))))

    async def export(self, call: AdminCall) -> AdminAnswer:
        """A sheet of who is there; posted, because it is written down."""
        where, _, chosen = call.form.get("scope", "").partition(":")
        request = ExportRequest(
            kind=_chosen(RosterKind, call.form.get("kind")),
            purpose=_chosen(ExportPurpose, call.form.get("purpose")),
            school_id=chosen if where == "school" else None,
            class_id=chosen if where == "class" else None,
        )
        return _download(await self._service.exports.export(call.actor, request))

    # ------------------------------------------------------------------------------------------------------- one import
    async def one(self, call: AdminCall) -> AdminAnswer:
        """What an import would do, or did."""
        imports, import_id = self._service.imports, call.id("import_id")
        view = await imports.look(call.actor, import_id)
        if view.is_running:
            return Page("rosters/running.html", {"view": view, "refresh": _REFRESH_S, "words": _WORDS})
        state = _maybe(RowState, call.query.get("state"))
        start = _number(call.query.get("start"))
        page = await imports.rows(call.actor, import_id, state, start)
        values = {
            "view": view,
            "page": page,
            "rows": [_shown(row) for row in page.rows],
            "states": [(each, texts.ROW_STATE_WORDS[each.value], view.counts.of(each)) for each in RowState],
            "gone": await self._gone(call, import_id) if view.can_apply else [],
            "next": start + _PAGE if page.has_more else None,
            "back": max(0, start - _PAGE) if start else None,
            "conflicts": view.counts.of(RowState.CONFLICT),
            "faults": view.counts.of(RowState.FAULTY),
            "words": _WORDS,
        }
        return Page("rosters/one.html", values)

    async def _gone(self, call: AdminCall, import_id: str) -> list[RowReport]:
        """Who would vanish, to be ticked one by one."""
        found: list[RowReport] = []
        while len(found) < _MOST_TICKS:
            page = await self._service.imports.rows(call.actor, import_id, RowState.VANISHING, len(found))
            found += page.rows
            if not page.has_more:
                break
        return found

    async def problems(self, call: AdminCall) -> AdminAnswer:
        """The upload again, with what is wrong."""
        import_id = call.id("import_id")
        view = await self._service.imports.look(call.actor, import_id)
        content = await self._service.imports.problems(call.actor, import_id)
        name = texts.FILE_NAMES["faults"].format(kind=texts.KIND_WORDS[view.kind.value])
        return _download(Workbook(name, content))

    async def check(self, call: AdminCall) -> AdminAnswer:
        """Another dry run."""
        import_id = call.id("import_id")
        await self._service.imports.check_again(call.actor, import_id)
        return await self._soon(import_id, texts.UPLOADED)

    async def apply(self, call: AdminCall) -> AdminAnswer:
        """Somebody looked, and says yes."""
        import_id = call.id("import_id")
        choice = Choice(call.form.get("leave_out") == "1", frozenset(call.form_ids("gone")))
        await self._service.imports.apply(call.actor, import_id, choice)
        return await self._soon(import_id, texts.APPLYING)

    async def discard(self, call: AdminCall) -> AdminAnswer:
        """Nothing comes of it."""
        await self._service.imports.discard(call.actor, call.id("import_id"))
        return WayOn(ROSTERS, texts.DISCARDED)

    async def undo_form(self, call: AdminCall) -> AdminAnswer:
        """What undoing would do, and what stands in its way."""
        import_id = call.id("import_id")
        view = await self._service.imports.look(call.actor, import_id)
        if not view.can_undo:
            raise NotFound
        in_the_way = await self._service.imports.dependents(call.actor, import_id)
        return Page("rosters/undo.html", {"view": view, "in_the_way": in_the_way, "words": _WORDS})

    async def undo(self, call: AdminCall) -> AdminAnswer:
        """The whole is taken back."""
        import_id = call.id("import_id")
        await self._service.imports.undo(call.actor, import_id)
        return await self._soon(import_id, texts.UNDOING)

    async def _soon(self, import_id: str, notice: str) -> WayOn:
        is_over = await self._service.imports.finished(import_id, _PATIENCE_S)
        return WayOn(f"{ROSTERS}/{import_id}", "" if is_over else notice)


_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "kind": texts.KIND_WORDS,
    "state": texts.STATE_WORDS,
    "row": texts.ROW_STATE_WORDS,
    "coverage": texts.COVERAGE_WORDS,
}


def _shown(row: RowReport) -> dict[str, Any]:
    """A row for the eye: numbers that identify are masked."""
    return {
        "row": row.row,
        "state": row.state.value,
        "name": row.name,
        "place": row.place,
        "faults": row.faults,
        "warnings": row.warnings,
        "differences": [_masked(each) for each in row.differences],
    }


def _masked(change: Difference) -> Difference:
    mask: Callable[[str | None], str] | None = None
    if change.field.endswith(texts.FIELD_WORDS["phone"]):
        mask = mask_phone
    elif change.field in (texts.FIELD_WORDS["id_number"], texts.FIELD_WORDS["roster_number"]):
        mask = mask_number
    if mask is None:
        return change
    before, after = mask(change.before), mask(change.after)
    return Difference(change.field, before, after if after != before else texts.MIDDLE_CHANGED)


def _download(book: Workbook) -> Download:
    return Download(book.name, book.content, CONTENT_TYPE)


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 7 else 0


def _maybe(kind: type[RowState], text: str | None) -> RowState | None:
    return next((each for each in kind if each.value == text), None)


def _chosen(kind: Any, text: str | None) -> Any:
    """One of a few; what is not among them did not come from our form. Raises InvalidInput."""
    try:
        return kind(text)
    except ValueError:
        raise InvalidInput from None
