"""Pages of lists that come in as a workbook: the form, a dry run to look at, entering, taking back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from bot.errors import AppError
from bot.rights import Action
from bot.web.admin import AdminAnswer, AdminCall, AdminRoute, Download, Page, WayOn
from handlers.after_school.admin.collection import PLAN, TALLY
from handlers.after_school.service.collection.lists import CollectionLists
from handlers.after_school.texts import collection as texts
from handlers.rosters.service.workbooks import CONTENT_TYPE
from handlers.rosters.texts import NO_FILE

LISTS: Final = PLAN + "/lists"
_ONE: Final = LISTS + "/{list}"
_STATE_TAGS: Final = {"applied": "good", "faulty": "bad"}
_WORDS: Final[dict[str, Any]] = {"state": texts.LIST_STATES, "row": texts.LIST_ROWS, "tag": _STATE_TAGS}


class ListPages:
    """The handlers."""

    def __init__(self, lists: CollectionLists) -> None:
        self._lists = lists

    def routes(self) -> tuple[AdminRoute, ...]:
        """All of them."""
        enter = Action.TALLY_ENTER
        return (
            AdminRoute(method="GET", path=LISTS, action=enter, handle=self.home),
            AdminRoute(method="POST", path=LISTS, action=enter, handle=self.upload, takes_files=True),
            AdminRoute(method="GET", path=PLAN + "/form", action=enter, handle=self.form),
            AdminRoute(method="GET", path=_ONE, action=enter, handle=self.one),
            AdminRoute(method="GET", path=_ONE + "/problems", action=enter, handle=self.problems),
            AdminRoute(method="POST", path=_ONE + "/apply", action=enter, handle=self.apply),
            AdminRoute(method="POST", path=_ONE + "/discard", action=enter, handle=self.discard),
            AdminRoute(method="POST", path=_ONE + "/undo", action=enter, handle=self.undo),
        )

    async def home(self, call: AdminCall) -> AdminAnswer:
        """The form, the upload, and what came in so far."""
        return await self._home(call)

    async def _home(self, call: AdminCall, fault: str = "") -> Page:
        plan, rows = await self._lists.history(call.actor, call.id("plan"))
        values = {"plan": plan, "rows": rows, "words": _WORDS, "fault": fault}
        return Page("after_school/collection_lists.html", values, 422 if fault else 200)

    async def form(self, call: AdminCall) -> AdminAnswer:
        """A sheet with the children in it."""
        name, content = await self._lists.form(call.actor, call.id("plan"), call.query_id("class"))
        return Download(name, content, CONTENT_TYPE)

    async def upload(self, call: AdminCall) -> AdminAnswer:
        """A list comes in; what is wrong with it as a whole is said at once."""
        file = call.files.get("file")
        if file is None or not file.content:
            return await self._home(call, NO_FILE)
        try:
            own = await self._lists.upload(call.actor, call.id("plan"), file.name, file.content)
        except AppError as fault:
            if fault.denial is not None:
                raise
            return await self._home(call, fault.message)
        return WayOn(_path(call, own), texts.LIST_UPLOADED)

    async def one(self, call: AdminCall) -> AdminAnswer:
        """What a list would enter, or entered."""
        return await self._one(call)

    async def _one(self, call: AdminCall, fault: str = "") -> Page:
        view = await self._lists.look(call.actor, call.id("plan"), call.id("list"))
        values = {"view": view, "words": _WORDS, "fault": fault}
        return Page("after_school/collection_list.html", values, 409 if fault else 200)

    async def problems(self, call: AdminCall) -> AdminAnswer:
        """The upload again, with what is wrong."""
        content = await self._lists.problems(call.actor, call.id("plan"), call.id("list"))
        return Download(texts.LIST_FAULTS, content, CONTENT_TYPE)

    async def apply(self, call: AdminCall) -> AdminAnswer:
        """Somebody looked, and says yes."""

        async def deed() -> str:
            count = await self._lists.apply(call.actor, call.id("plan"), call.id("list"))
            return texts.LIST_APPLIED.format(count=count)

        return await self._done(call, deed)

    async def discard(self, call: AdminCall) -> AdminAnswer:
        """Nothing comes of it."""

        async def deed() -> str:
            await self._lists.discard(call.actor, call.id("plan"), call.id("list"))
            return texts.LIST_DISCARDED

        return await self._done(call, deed)

    async def undo(self, call: AdminCall) -> AdminAnswer:
        """The whole is taken back."""

        async def deed() -> str:
            await self._lists.undo(call.actor, call.id("plan"), call.id("list"))
            return texts.LIST_UNDONE

        return await self._done(call, deed)

    async def _done(self, call: AdminCall, deed: Callable[[], Awaitable[str]]) -> AdminAnswer:
        try:
            notice = await deed()
        except AppError as fault:
            if fault.denial is not None:
                raise
            return await self._one(call, fault.message)
        return WayOn(_path(call, call.id("list")), notice)


def _path(call: AdminCall, own: str) -> str:
    return f"{TALLY}/{call.id('plan')}/lists/{own}"
