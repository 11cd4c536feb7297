"""Every route of the built application × every role × own, foreign and missing things.

The routes are those the application has, so a new one is tried without a word here; one that names a thing nobody has
listed in `rights_objects` fails. What is foreign and what is not there give the same answer, byte for byte.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import uuid4

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot.app import ASSEMBLY, build_app
from bot.audit.models import AuditRow
from bot.clock import FrozenClock
from bot.config import Settings
from bot.config_values import decode_key
from bot.dialogue.context import ChatContext
from bot.dialogue.router import Route, Tier, always
from bot.dialogue.sentences import sentence_for
from bot.errors import NotPermitted
from bot.identity import Role
from bot.metrics import Metrics
from bot.rights import RIGHTS, Action, Scope
from bot.storage.base import blind_index
from bot.storage.redis import RedisStore
from bot.web import admin, api
from bot.web.admin_edge import COOKIE, FORM_TOKEN
from bot.web.admin_seals import Seals
from bot.wechat.messages import Inbound, Reply, TextMessage, TextReply
from tests.bot.dialogue.stage import Stage, said, text
from tests.handlers.conftest import COUNTS
from tests.handlers.rights_objects import BODIES, FORMS, NEEDS_WECHAT, OBJECTS, ROLES, Caller, Place, World, build_world
from tests.settings import make_settings
from tests.town import town_base

Client = TestClient[web.Request, web.Application]

pytestmark = pytest.mark.slow

NOBODY: Final = "http://127.0.0.1:9"
FIXED_ID: Final = "rights-everywhere"
_PARAMETER: Final = re.compile(r"(?:^|/)(?P<before>[^/{}]+)/\{(?P<name>\w+)\}")


@dataclass(frozen=True, slots=True)
class Entry:
    """One route of the API or the console, as the test calls it."""

    door: str
    method: str
    path: str
    action: Action
    takes_body: bool
    is_for_visitors: bool

    @property
    def name(self) -> str:
        """`POST /api/v1/children/{id}/consent`."""
        return f"{self.method} {self.path}"

    @property
    def parameters(self) -> list[str]:
        """What the path names: `children/{id}`."""
        found = [f"{match['before']}/{{{match['name']}}}" for match in _PARAMETER.finditer(self.path)]
        assert len(found) == self.path.count("{"), f"{self.name}: a part of the path stands without a word before it"
        return found


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, with everything that could tell one refusal from another."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    def __str__(self) -> str:
        """Short, for the list of faults."""
        code = re.search(rb'"code": ?"(\w+)"|<title>(.*?)</title>', self.body)
        return f"{self.status} {code[0].decode() if code else self.body[:60]!r}"


def entries_of(app: web.Application) -> list[Entry]:
    parts = app[ASSEMBLY].parts
    calls = [
        Entry("api", r.method, api.PREFIX + r.path, r.action, r.request is not None, not r.needs_token)
        for part in parts
        for r in part.api
    ]
    pages = [
        Entry("console", r.method, admin.PREFIX + r.path, r.action, r.method == "POST", r.is_for_visitors)
        for part in parts
        for r in part.admin
    ]
    return [*calls, *pages]


def scope_of(entry: Entry, role: Role) -> Scope:
    """The cell of the table. A route whose action has no row is found here."""
    return RIGHTS[entry.action][role]


@pytest.fixture
def open_settings(settings: Settings) -> Settings:
    """Nobody is stopped for asking often, and WeChat is not there."""
    url = settings.database.url.get_secret_value()
    limits = {"requests_per_minute": 10**6, "failed_attempts_per_minute": 10**6}
    return make_settings(database={"url": url}, limits=limits, miniprogram={"api_base": NOBODY})


@pytest.fixture
async def client(open_settings: Settings, clock: FrozenClock) -> AsyncIterator[Client]:
    app = build_app(open_settings, clock=clock, knowledge=town_base, wechat_url=NOBODY, worker=False)
    async with TestClient(TestServer(app)) as running:
        yield running


class Trial:
    """Calls routes as somebody, with the things of a place."""

    def __init__(self, client: Client, settings: Settings, clock: FrozenClock, world: World) -> None:
        self._client = client
        self._settings = settings
        self._clock = clock
        self._seals = Seals(decode_key(settings.security.session_key.get_secret_value()))
        self.world = world
        self.calls: Counter[str] = Counter()
        self._secrets: dict[tuple[str, Role], str] = {}

    async def renew(self) -> None:
        """A fresh world, after something has been changed in the last one."""
        self.world = await build_world(self._settings, self._clock)
        self._secrets.clear()

    async def ids(self, entry: Entry, place: Place | None, caller: Caller) -> dict[str, str]:
        """The ids for the path; without a place, ones that nothing has."""
        found = {}
        for parameter in entry.parameters:
            name = parameter.rpartition("{")[2].rstrip("}")
            assert parameter in OBJECTS, f"{entry.name}: list {parameter} in rights_objects.OBJECTS"
            found[name] = str(uuid4() if place is None else await OBJECTS[parameter](self.world, place, caller))
        return found

    async def call(self, entry: Entry, caller: Caller, place: Place | None, *, known: bool = True) -> Answer:
        """One request in the caller's session; without `known` in none."""
        ids = await self.ids(entry, place, caller)
        headers, body, secret = await self._sent(entry, caller if known else None, place)
        async with self._client.request(
            entry.method,
            entry.path.format(**ids),
            headers={"X-Request-ID": FIXED_ID, **headers},
            allow_redirects=False,
            **body,
        ) as response:
            self._client.session.cookie_jar.clear()
            content = await response.read()
        self.calls[entry.door] += 1
        kept = {key: value for key, value in response.headers.items() if key not in {"Date", "Set-Cookie"}}
        # What is in the address, and what is made for the session: the test itself gave them.
        for own in (*ids.values(), self._seals.form_token(secret)):
            content = content.replace(own.encode(), b"<own>")
        return Answer(response.status, content, kept)

    async def _secret(self, door: str, caller: Caller) -> str:
        """A session for the caller, begun once a world: what ends one makes the world anew."""
        if (door, caller.role) not in self._secrets:
            sessions = self.world.sessions
            if door == "api":
                opened = (await sessions.open_api(caller.identity.id)).secret
            else:
                assert caller.person is not None
                opened = (await sessions.open_console(caller.person.id)).secret
            self._secrets[door, caller.role] = opened
        return self._secrets[door, caller.role]

    async def _sent(
        self, entry: Entry, caller: Caller | None, place: Place | None
    ) -> tuple[dict[str, str], dict[str, Any], str]:
        """Headers, what goes into the body, and the secret of the session."""
        if entry.door == "api":
            body = {"json": BODIES.get(entry.name, {})} if entry.takes_body else {}
            if caller is None:
                return {}, body, ""
            secret = await self._secret("api", caller)
            return {"Authorization": f"Bearer {secret}"}, body, secret
        if caller is None or caller.person is None:
            return {}, {"data": {}} if entry.takes_body else {}, ""
        secret = await self._secret("console", caller)
        form = {
            **(await FORMS[entry.name](self.world, place) if entry.name in FORMS else {}),
            FORM_TOKEN: self._seals.form_token(secret),
        }
        return {"Cookie": f"{COOKIE}={secret}"}, {"data": form} if entry.takes_body else {}, secret


@pytest.fixture
async def trial(client: Client, open_settings: Settings, clock: FrozenClock) -> Trial:
    return Trial(client, open_settings, clock, await build_world(open_settings, clock))


def faults_of_route(entry: Entry) -> list[str]:
    """What is missing for the route to be tried at all."""
    faults = [] if entry.action in RIGHTS else [f"{entry.name}: {entry.action} has no row in the table of rights"]
    listed = BODIES if entry.door == "api" else FORMS
    if entry.parameters and entry.takes_body and entry.name not in listed:
        faults.append(f"{entry.name}: list what it takes in rights_objects")
    faults += [f"{entry.name}: list {p} in rights_objects.OBJECTS" for p in entry.parameters if p not in OBJECTS]
    return faults


@pytest.mark.engine("sqlite")
@pytest.mark.parametrize("is_whole", [False, pytest.param(True, marks=pytest.mark.trial)], ids=["in turn", "whole"])
async def test_every_route_obeys_the_table_for_every_role_and_whosever_thing_it_is(
    client: Client, trial: Trial, record_property: Callable[[str, object], None], is_whole: bool
) -> None:
    """Those without the right are all refused their own things; at each route one of them, another at the next, is
    refused what is foreign and what is missing in the same words. The whole has all of them try that."""
    entries = entries_of(client.app)
    faults = [fault for entry in entries for fault in faults_of_route(entry)]
    ready = [entry for entry in entries if not faults_of_route(entry)]
    for number, entry in enumerate(ready):
        without = [role for role in ROLES if scope_of(entry, role) is Scope.NONE and _may_enter(trial, entry, role)]
        tried = without if is_whole else without[number % max(len(without), 1) :][:1]
        for role in ROLES:
            faults += await judged(trial, entry, role, is_tried=role not in without or role in tried)
    named = [entry for entry in ready if entry.parameters]
    record_property(
        COUNTS,
        f"{len(entries)} routes × {len(ROLES)} roles; {len(named)} name a thing: own, nearest foreign, farthest"
        f" foreign, missing; {sum(trial.calls.values())} requests {dict(trial.calls)}",
    )
    assert faults == [], "\n".join(faults)
    assert await AuditRow.filter(outcome="denied").exists(), "refusals are written to the audit"


@pytest.mark.engine("postgres")
async def test_every_route_answers_those_it_is_for(client: Client, trial: Trial) -> None:
    """Whose right it is does not depend on the engine; whether a page can be had does."""
    faults: list[str] = []
    for entry in entries_of(client.app):
        asked = [role for role in ROLES if scope_of(entry, role) is not Scope.NONE and _may_enter(trial, entry, role)]
        statuses: dict[Role, int] = {}
        for role in asked:
            answer = await trial.call(entry, trial.world.callers[role], trial.world.home)
            statuses[role] = answer.status
            if entry.method != "GET" and answer.status < 400:
                await trial.renew()
            if answer.status < 400:
                break
        if entry.name not in NEEDS_WECHAT and any(status >= 500 for status in statuses.values()):
            faults.append(f"{entry.name}: {statuses}")
        elif entry.method == "GET" and asked and not any(s < 400 or s in {409, 422} for s in statuses.values()):
            faults.append(f"{entry.name} answers nobody: {statuses}")
    assert faults == []


def _may_enter(trial: Trial, entry: Entry, role: Role) -> bool:
    """Whether somebody of the role can be in a session of the door."""
    return entry.door == "api" or (trial.world.callers[role].person is not None and role is not Role.GUARDIAN)


async def judged(trial: Trial, entry: Entry, role: Role, *, is_tried: bool = True) -> list[str]:
    """What one role finds at one route, as a list of what is wrong. Unless `is_tried`, only with its own thing."""
    caller = trial.world.callers[role]
    if not _may_enter(trial, entry, role):
        return _judged_unknown(entry, await trial.call(entry, caller, trial.world.home, known=False))
    scope = scope_of(entry, role)
    title = f"{entry.name} as {role} ({scope})"
    if not entry.parameters or not is_tried:
        answer = await trial.call(entry, caller, trial.world.home)
        if entry.method != "GET" and answer.status < 400:
            await trial.renew()
        return _judged_plain(title, scope, answer, entry)
    missing = await trial.call(entry, caller, None)
    # To whom nothing is foreign.
    foreign = () if scope is Scope.ANY else (trial.world.near.get(scope), trial.world.far)
    answers = [await trial.call(entry, caller, place) for place in foreign if place is not None]
    faults = [f"{title}: foreign {answer}, missing {missing}" for answer in answers if answer != missing]
    own = await trial.call(entry, caller, trial.world.home)
    if entry.method != "GET" and own.status < 400:
        await trial.renew()
    if scope is Scope.NONE:
        return [
            *faults,
            *_expect(title, own, 403),
            *([] if own == missing else [f"{title}: tells its own things apart"]),
        ]
    if scope is Scope.ANY:
        return faults + _judged_plain(title, scope, own, entry)
    is_refused = own.status in {401, 403, 404} or own.status >= 500
    # A right to be used by nobody there, as a staff member has no children: then it is missing to them.
    if is_refused and not (own == missing and _has_none(entry, role)):
        faults.append(f"{title}: own {own}")
    # Who owns nothing of the kind may be told so: it is the same for every thing.
    nobody = missing.status == 403 and (role is Role.VISITOR or _has_none(entry, role))
    return [*faults, *([] if nobody else _expect(title, missing, 404))]


def _has_none(entry: Entry, role: Role) -> bool:
    """Whether people of the role own no such thing: a binding to a child is the guardian's."""
    return entry.parameters == ["bindings/{child_id}"] and role is not Role.GUARDIAN


def _expect(title: str, answer: Answer, status: int) -> list[str]:
    return [] if answer.status == status else [f"{title}: {answer} instead of {status}"]


def _judged_unknown(entry: Entry, answer: Answer) -> list[str]:
    """The console without a session: to the log-in, unless the page is for everybody."""
    to_login = answer.status == 303 and "/admin/login" in answer.headers.get("Location", "")
    if entry.is_for_visitors:
        return [] if answer.status < 500 else [f"{entry.name} as anybody: {answer.status}"]
    return [] if to_login or answer.status == 401 else [f"{entry.name} without a session: {answer.status}"]


def _judged_plain(title: str, scope: Scope, answer: Answer, entry: Entry) -> list[str]:
    if scope is Scope.NONE:
        return _expect(title, answer, 403)
    if answer.status == 503 and entry.name in NEEDS_WECHAT:
        return []
    # A log-in that fails says so with 401, whoever tries it.
    refused = answer.status == 403 or (answer.status == 401 and entry.action is not Action.SESSION_OPEN)
    return [f"{title}: {answer}"] if refused or answer.status >= 500 else []


async def test_without_a_token_only_what_is_public_answers(client: Client, trial: Trial) -> None:
    entries = [entry for entry in entries_of(client.app) if entry.door == "api"]
    visitor = trial.world.callers[Role.VISITOR]
    statuses = {
        entry: (await trial.call(entry, visitor, trial.world.home, known=False)).status
        for entry in entries
        if not faults_of_route(entry)
    }
    assert [e.name for e, status in statuses.items() if (status == 401) is e.is_for_visitors] == []


async def test_an_unlisted_path_and_an_unlisted_body_are_noticed() -> None:
    """The control of the first half: a new route cannot slip by."""
    new = Entry("api", "POST", "/api/v1/wishes/{wish}", Action.CHILD_VIEW, takes_body=True, is_for_visitors=False)
    assert len(faults_of_route(new)) == 2


async def test_a_route_that_tells_foreign_from_missing_is_noticed(trial: Trial) -> None:
    """The control of the second half: answers that differ in one word, or in one header."""
    entry = Entry("api", "GET", "/api/v1/children/{id}/consent", Action.CHILD_VIEW, False, False)

    class Telling(Trial):
        async def call(self, entry: Entry, caller: Caller, place: Place | None, *, known: bool = True) -> Answer:
            return Answer(404, b"missing" if place is None else b"foreign", {})

    telling = Telling.__new__(Telling)
    telling.world = trial.world
    faults = await judged(telling, entry, Role.GUARDIAN)
    assert any("foreign 404" in fault for fault in faults)


# ---------------------------------------------------------------------------------------------------------- the chat
async def test_every_route_of_the_chat_runs_for_the_roles_of_its_action_and_for_nobody_else(
    open_settings: Settings,
    database: object,
    clock: FrozenClock,
    metrics: Metrics,
    redis: RedisStore,
    record_property: Callable[[str, object], None],
) -> None:
    """Each route alone behind the dispatcher, with a handler that only says that it ran."""
    routes = build_app(open_settings, clock=clock)[ASSEMBLY].router.routes
    stage, faults = Stage(clock, metrics), []

    async def ran(context: ChatContext, message: Inbound) -> Reply:
        return TextReply("ran")

    for route in routes:
        alone = _alone(route, ran)
        for role in ROLES:
            dispatcher = stage.dispatcher([alone], redis, roles={blind_index("openid", f"o_{role}"): role})
            reply = said(await dispatcher.dispatch(text("话", openid=f"o_{role}")))
            allowed = RIGHTS[route.action][role] is not Scope.NONE
            if reply != ("ran" if allowed else sentence_for(NotPermitted())):
                faults.append(f"{route.name} as {role}: {reply}")
    record_property(COUNTS, f"{len(routes)} routes of the chat × {len(ROLES)} roles")
    assert faults == []


def _alone(route: Route, handle: Any) -> Route:
    return replace(
        route,
        tier=Tier.LAST,
        of=TextMessage,
        when=always,
        handle=handle,
        changes=False,
        fallback=None,
        must_happen=False,
    )
