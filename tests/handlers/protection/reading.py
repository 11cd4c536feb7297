"""Reads what somebody can read: every page, every call of the API, every word of the chat, every push.

Pages are those the application has, with the ids of everything planted; what a page leads to with a question in the
address (a filter, an export) is read too. A route about contact with families or the check of a term that names a thing
nobody has listed fails the test.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any, Final
from uuid import uuid4

from aiohttp import FormData

from bot.app import ASSEMBLY, limiter_of, push_worker_of
from bot.audit.models import AuditRow
from bot.config_values import decode_key
from bot.dialogue.router import Narrow, Tier
from bot.rights import RIGHTS, Action, Scope
from bot.scheduler.runner import TICKER
from bot.storage.database import DATABASE
from bot.web import admin, api
from bot.web.admin_edge import COOKIE, FORM_TOKEN
from bot.web.admin_seals import Seals
from bot.wechat.messages import TextMessage
from tests.handlers.protection.ledger import Planted, plain
from tests.handlers.protection.village import Viewer, Village

PARAMETER: Final = re.compile(r"(?:^|/)(?P<before>[^/{}]+)/\{(?P<name>\w+)\}")
_HREF: Final = re.compile(r'href="(/admin/[^"#]*\?[^"#]*)"')
_ROW: Final = re.compile(r"<(?:tr|row)>.*?</(?:tr|row)>", re.S)
PROTECTED: Final = ("/admin/contacts/", "/admin/term-check")
# What no link leads to.
QUERIES: Final[Mapping[str, tuple[str, ...]]] = {
    "/admin/contacts/register": ("show=review", "show=orphaned", "level=red", "level=yellow"),
    "/admin/contacts/find": ("name=望舒", "name=若兮"),
    "/admin/contacts/glass": ("name=望舒", "name=若兮"),
    "/admin/term-check/cases": ("show=away", "show=back"),
    "/admin/pupils": ("name=望舒", "name=若兮"),
    "/admin/audit": ("child=欧阳望舒", "child=司徒若兮", "export=xlsx"),
}
# Words of routes that go by a pattern, and answers that go on.
SAID: Final = ("家访 电话 孩子 都好", "到校情况", "开学清点", "绑定", "通知 三(1)班 明天带跳绳", "我的提醒")
# Where children stand whether they are on the register or not, or none does.
ANYBODY: Final = tuple(
    f"/admin/contacts/{page}" for page in ("find", "rules", "glass/children", "glass?name=", "families/", "words")
)
# A calendar leads from month to month for ever.
_MOST_OF_A_PAGE: Final = 5
_GOES_ON: Final = ("1", "1")
_JOBS: Final = ("contacts.clock", "term_check.run", "alarms.climb", "duties.plan")


@dataclass(frozen=True, slots=True)
class Shown:
    """Something somebody was shown. `rows`: what the audit was given meanwhile; `statements`: what the engine ran,
    where the reader listens."""

    viewer: Viewer
    door: str
    method: str
    path: str
    status: int
    text: str
    found: frozenset[Planted]
    rows: tuple[AuditRow, ...] = ()
    statements: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.viewer.name}: {self.method} {self.path} ({self.status})"


@dataclass(slots=True)
class Reader:
    """Over a village. `reads_audit`: what it was given is looked up. `is_whole`: pages are tried by those too
    whom the table of rights refuses there."""

    village: Village
    reads_audit: bool = True
    is_whole: bool = False
    shown: list[Shown] = field(default_factory=list)
    unlisted: set[str] = field(default_factory=set)
    statements: list[str] = field(default_factory=list)

    # ------------------------------------------------------------------------------------------------------------ wire
    async def read(
        self, viewer: Viewer, door: str, method: str, path: str, form: Sequence[tuple[str, str]] = ()
    ) -> Shown:
        """One request in somebody's session; `form`: what is filled in."""
        before = await self._last_row()
        self.statements.clear()
        async with self.village.town.client.request(
            method, path, allow_redirects=False, **self._sent(viewer, door, method, form)
        ) as response:
            self.village.town.client.session.cookie_jar.clear()
            content, kind = await response.read(), response.headers.get("Content-Type", "")
            head = "\n".join(f"{name}: {value}" for name, value in response.headers.items())
        text = f"{head}\n{plain(content, kind)}"
        shown = await self._made(viewer, door, method, path, response.status, text, before)
        # What somebody has just typed themselves stands in the form again.
        typed = self.village.ledger.found(" ".join(value for _, value in form))
        shown = replace(shown, found=shown.found - typed)
        self.shown.append(shown)
        return shown

    async def hear(self, viewer: Viewer, text: str) -> Shown:
        """A message in the chat, and its answer."""
        before = await self._last_row()
        said = await self.village.town.person(viewer.openid).says(text) or ""
        shown = await self._made(viewer, "chat", "SAY", text, 200, said, before)
        self.shown.append(shown)
        return shown

    async def _made(
        self, viewer: Viewer, door: str, method: str, path: str, status: int, text: str, before: int
    ) -> Shown:
        statements = tuple(self.statements)
        rows = await AuditRow.filter(id__gt=before).order_by("id") if self.reads_audit else []
        found = self.village.ledger.found(text) | self._members(path, text)
        return Shown(viewer, door, method, path, status, text, frozenset(found), tuple(rows), statements)

    def _members(self, path: str, text: str) -> set[Planted]:
        """Whose name stands where only those on the register have one: a page of contacts, or a line of the audit."""
        parts = [text]
        if path.startswith("/admin/audit"):
            parts = [row for row in _ROW.findall(text) if "家校联系" in row]
        elif not path.startswith("/admin/contacts/") or path.startswith(ANYBODY) or path.endswith("/enter"):
            return set()
        children = self.village.children
        return {Planted("file.pupil_id", own) for own in children for part in parts if children[own].name in part}

    def _sent(self, viewer: Viewer, door: str, method: str, form: Sequence[tuple[str, str]]) -> dict[str, Any]:
        if door == "api":
            return {"headers": {"Authorization": f"Bearer {viewer.api}"}}
        sent: dict[str, Any] = {"headers": {"Cookie": f"{COOKIE}={viewer.console}"}}
        if method == "POST":
            key = self.village.town.settings.security.session_key.get_secret_value()
            sent["data"] = FormData([*form, (FORM_TOKEN, Seals(decode_key(key)).form_token(viewer.console))])
        return sent

    async def listen(self) -> None:
        """From now on to what the engine of an embedded database runs."""
        connection = self.village.town.app[DATABASE].connection._connection
        await connection.set_trace_callback(self.statements.append)

    # ------------------------------------------------------------------------------------------------------ everything
    async def everything(self, viewer: Viewer, only: Sequence[str] = ("/",)) -> None:
        """All pages and calls that change nothing, and what the pages lead to."""
        waiting = [("api", path) for path in self._calls(viewer)]
        waiting += [("console", path) for path in self._pages(viewer)]
        asked = {"console": QUERIES} if viewer.console else {}
        waiting += [(door, f"{path}?{query}") for door, of in asked.items() for path in of for query in of[path]]
        times = Counter(path.partition("?")[0] for _, path in waiting)
        for door, path in waiting:
            if path.startswith(tuple(only)):
                shown = await self.read(viewer, door, "GET", path)
                for address in dict.fromkeys(_HREF.findall(shown.text)):
                    own = address.partition("?")[0]
                    times[own] += 1
                    if "sort=" not in address and times[own] <= _MOST_OF_A_PAGE:
                        await self.read(viewer, door, "GET", address)

    async def forms(self, viewer: Viewer) -> None:
        """Every form of contacts and of the check, sent with nothing filled in: what stands beside the fault."""
        for path in self._pages(viewer, "POST", 1):
            if path.startswith(PROTECTED):
                await self.read(viewer, "console", "POST", path)

    async def chat(self, viewer: Viewer, words: Collection[str] | None = None) -> None:
        """Every word the chat knows; in a dialogue about contacts or the check with answers that go on."""
        for word in words or self.words():
            await self.hear(viewer, word)
            for text in _GOES_ON if words or word in self.dialogues() else ():
                await self.hear(viewer, text)
            await self.village.town.person(viewer.openid).says("退出")

    async def pushes(self) -> None:
        """Everything that is to be told, to those it is for."""
        for viewer in self.village.viewers.values():
            await self.village.town.person(viewer.openid).says("你好")
        for job in _JOBS:
            if (run := self.village.town.app[TICKER].trigger(job)) is not None:
                await run
        worker = push_worker_of(self.village.town.app, limiter_of(self.village.town.app))
        while await worker.run_once():
            pass
        await self.village.town.deliver()
        for viewer in self.village.viewers.values():
            for item in self.village.town.person(viewer.openid).screen:
                if item.is_push:
                    found = self.village.ledger.found(item.text) | {
                        Planted("file.pupil_id", child)
                        for child, pupil in self.village.children.items()
                        if pupil.name in item.text and "家校联系" in item.text
                    }
                    self.shown.append(Shown(viewer, "push", "PUSH", "", 200, item.text, frozenset(found)))

    # ----------------------------------------------------------------------------------------------------------- parts
    async def _last_row(self) -> int:
        last = await AuditRow.all().order_by("-id").first() if self.reads_audit else None
        return last.id if last else 0

    def words(self) -> tuple[str, ...]:
        """One of the words of every route that goes by words."""
        return (*dict.fromkeys(word for _, word in self._spoken()), *SAID)

    def dialogues(self) -> frozenset[str]:
        """Words that begin one about contacts or the check."""
        return frozenset(SAID) | {
            word for name, word in self._spoken() if name.startswith(("contacts.", "term_check."))
        }

    def _spoken(self) -> Iterator[tuple[str, str]]:
        for route in self.village.town.app[ASSEMBLY].router.routes:
            words = route.when.words if isinstance(route.when, Narrow) and route.of is TextMessage else None
            if words and route.tier is Tier.KEYWORD:
                yield route.name, min(words)

    def _calls(self, viewer: Viewer) -> Iterator[str]:
        """Every path of the API that changes nothing."""
        for part in self.village.town.app[ASSEMBLY].parts:
            for route in part.api:
                if route.method == "GET" and self._is_tried(viewer, route.action):
                    yield from self._paths(api.PREFIX + route.path)

    def _pages(self, viewer: Viewer, method: str = "GET", most: int | None = None) -> Iterator[str]:
        """Every page, or every form with things of each child."""
        for part in self.village.town.app[ASSEMBLY].parts:
            for route in part.admin if viewer.console else ():
                if route.method == method and self._is_tried(viewer, route.action):
                    yield from self._paths(admin.PREFIX + route.path, most)

    def _is_tried(self, viewer: Viewer, action: Action) -> bool:
        """Who may do nothing there is refused before the page is asked: the test of all routes tries that."""
        is_protected = action.value.startswith(("contacts.", "check."))
        return self.is_whole or is_protected or RIGHTS[action][viewer.role] is not Scope.NONE

    def _paths(self, path: str, most: int | None = None) -> Iterator[str]:
        """With the ids of what was planted, so many about each child; of anything else what there is of both
        places."""
        named = [(match["name"], f"{match['before']}/{{{match['name']}}}") for match in PARAMETER.finditer(path)]
        ids = [self._ids(path, parameter, most) for _, parameter in named]
        for chosen in product(*ids):
            yield path.format(**{name: own for (name, _), own in zip(named, chosen, strict=True)})

    def _ids(self, path: str, parameter: str, most: int | None) -> list[str]:
        village = self.village
        if parameter in village.things:
            return [own for things in village.things[parameter].values() for own in things[:most]]
        if path.startswith(PROTECTED):
            self.unlisted.add(f"{path}: {parameter}")
        places = (village.home, village.far)
        name = parameter.rpartition("{")[2].rstrip("}")
        known: dict[str, list[object]] = {
            "pupil": [child.id for child in village.children.values()],
            "child": [child.id for child in village.children.values()],
            "child_id": [child.id for child in village.children.values()],
            "id": [child.id for child in village.children.values()],
            "class_id": [place.room.id for place in places],
            "class": [place.room.id for place in places],
            "school": [place.school.id for place in places],
            "duty_school": [place.school.id for place in places],
            "township": [village.home.township.id],
            "person": [village.person_id(who) for who in ("family", "author")],
        }
        return [str(own) for own in known.get(name, [uuid4()])]
