"""The console's edge: who comes, whose form it is, what is kept in the browser, and what surrounds every answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path

import pytest
from aiohttp import CookieJar, FormData, web
from aiohttp.test_utils import TestClient, TestServer

from bot.audit.log import Audit
from bot.audit.models import AuditRow
from bot.clock import FrozenClock
from bot.errors import NotAuthenticated, NotFound, Unavailable
from bot.identity import Actor, Door, Grant, Role
from bot.metrics import Metrics
from bot.rights import Action, Subject, require
from bot.storage.database import Database
from bot.storage.redis import RedisStore
from bot.web.admin import AdminAnswer, AdminCall, AdminRoute, Download, Page, WayOn
from bot.web.admin_edge import UPLOAD_LIMIT, Console, add_console
from bot.web.admin_pages import Pages
from bot.web.admin_seals import Seals
from bot.web.limits import Addresses, FailureLimit
from bot.web.middlewares import BODY_LIMIT, edge
from bot.web.tables import TableView

Client = TestClient[web.Request, web.Application]
PAGE = """{% extends "console/base.html" %}{% from "console/macros.html" import token with context %}
{% block title %}试{% endblock %}
{% block content %}<h1>{{ said }}</h1><form method="post">{{ token() }}</form>{% endblock %}"""
PER_MINUTE = 3


async def show(call: AdminCall) -> AdminAnswer:
    return Page("tests/page.html", {"said": f"{call.actor.name} <b>{call.query.get('q', '')}</b>"})


async def write(call: AdminCall) -> AdminAnswer:
    return WayOn("/things", f"写好了：{call.form.get('text', '')}{len(call.lists.get('many', ()))}")


async def take(call: AdminCall) -> AdminAnswer:
    return WayOn("/things", f"收到{len(call.files['file'].content)}")


async def let_in(call: AdminCall) -> AdminAnswer:
    if call.form.get("password") != "right":
        return Page("tests/page.html", {"said": "不对"}, 401)
    return WayOn("/things", session="teacher")


async def let_out(call: AdminCall) -> AdminAnswer:
    return WayOn("/login", "走了", session="")


async def fail(call: AdminCall) -> AdminAnswer:
    require(call.actor, Action.CLASS_VIEW, Subject(class_id="someone else's"))
    raise AssertionError


async def send(call: AdminCall) -> AdminAnswer:
    return Download("名单 1.xlsx", b"x")


async def away(call: AdminCall) -> AdminAnswer:
    raise Unavailable


def route(method: str, path: str, handle: object, action: Action = Action.CLASS_VIEW, **more: object) -> AdminRoute:
    return AdminRoute(method=method, path=path, action=action, handle=handle, **more)  # type: ignore[arg-type]


async def burst(call: AdminCall) -> AdminAnswer:
    raise ZeroDivisionError


ROUTES = (
    route("GET", "/things", show, menu="东西"),
    route("POST", "/things", write),
    route("GET", "/secret", show, Action.AUDIT_SEARCH, menu="秘密"),
    route("POST", "/files", take, takes_files=True),
    route("GET", "/login", show, Action.SESSION_OPEN),
    route("POST", "/login", let_in, Action.SESSION_OPEN),
    route("POST", "/logout", let_out, Action.SESSION_OPEN),
    route("GET", "/fails", fail),
    route("GET", "/file", send),
    route("GET", "/away", away),
    route("GET", "/bursts", burst, menu="坏的"),
    route("POST", "/bursts", burst),
)


async def authenticate(secret: str) -> Actor:
    if secret != "teacher":
        raise NotAuthenticated
    grants = (Grant(Role.TEACHER, classes=frozenset({"c"})),)
    return Actor("index", frozenset({Role.TEACHER}), "李老师", "p", grants, door=Door.CONSOLE, session_id="s")


@pytest.fixture
async def client(
    database: Database, redis: RedisStore, clock: FrozenClock, metrics: Metrics, tmp_path: Path
) -> AsyncIterator[Client]:
    async with open_client(redis, clock, metrics, tmp_path) as running:
        yield running


def open_client(
    redis: RedisStore, clock: FrozenClock, metrics: Metrics, folder: Path, *, is_secure: bool = False
) -> Client:
    (folder / "tests").mkdir(exist_ok=True)
    (folder / "tests" / "page.html").write_text(PAGE, encoding="utf-8")
    audit = Audit(clock)
    app = web.Application(middlewares=[edge(metrics, audit)], client_max_size=BODY_LIMIT)
    console = Console(
        ROUTES,
        Pages([folder]),
        Seals(bytes(32)),
        audit=audit,
        failures=FailureLimit(lambda: redis, clock, PER_MINUTE),
        addresses=Addresses(()),
        authenticate=authenticate,
        metrics=metrics,
        is_secure=is_secure,
    )
    add_console(app, console)
    return TestClient(TestServer(app), cookie_jar=CookieJar(unsafe=True))


async def token_of(client: Client, path: str = "/admin/things") -> str:
    text = await (await client.get(path)).text()
    return text.partition('name="form_token" value="')[2].partition('"')[0]


async def log_in(client: Client) -> None:
    form = {"form_token": await token_of(client, "/admin/login"), "password": "right"}
    answer = await client.post("/admin/login", data=form, allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, "/admin/things")


async def test_every_answer_forbids_what_a_page_does_not_need(client: Client) -> None:
    for path in ("/admin/login", "/admin/nowhere", "/admin/static/none.css"):
        headers = (await client.get(path)).headers
        policy = headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["Referrer-Policy"] == "same-origin"
    assert (await client.get("/admin/login")).headers["Cache-Control"] == "no-store"


async def test_a_page_needs_a_log_in_and_leads_back(client: Client) -> None:
    answer = await client.get("/admin/things?q=1", allow_redirects=False)
    assert answer.headers["Location"] == "/admin/login?next=%2Fthings%3Fq%3D1"
    await log_in(client)
    assert "李老师" in await (await client.get("/admin/things")).text()


async def test_what_is_typed_is_text_and_never_markup(client: Client) -> None:
    await log_in(client)
    text = await (await client.get("/admin/things?q=<script>1</script>")).text()
    assert "&lt;script&gt;" in text
    assert "<script>1" not in text


@pytest.mark.parametrize("token", ["", "wrong", "x" * 5000])
async def test_a_form_without_the_sessions_token_changes_nothing(client: Client, token: str) -> None:
    await log_in(client)
    answer = await client.post("/admin/things", data={"form_token": token, "text": "x"}, allow_redirects=False)
    assert answer.status == 403
    assert "放得太久" in await answer.text()


async def test_a_token_of_before_the_log_in_is_not_one_of_the_session(client: Client) -> None:
    before = await token_of(client, "/admin/login")
    await log_in(client)
    assert (await client.post("/admin/things", data={"form_token": before}, allow_redirects=False)).status == 403


async def test_a_notice_is_shown_once_and_cannot_be_forged(client: Client) -> None:
    await log_in(client)
    form = {"form_token": await token_of(client), "text": "<i>好</i>"}
    await client.post("/admin/things", data=form, allow_redirects=False)
    assert "写好了：&lt;i&gt;好&lt;/i&gt;0" in await (await client.get("/admin/things")).text()
    assert "写好了" not in await (await client.get("/admin/things")).text()
    client.session.cookie_jar.update_cookies({"xiangxiao_notice": "6K-3.AAAA"})
    assert 'role="status"' not in await (await client.get("/admin/things")).text()


async def test_cookies_are_out_of_reach_of_scripts_and_other_sites(
    database: Database, redis: RedisStore, clock: FrozenClock, metrics: Metrics, tmp_path: Path
) -> None:
    async with open_client(redis, clock, metrics, tmp_path, is_secure=True) as client:
        cookie = (await client.get("/admin/login")).headers["Set-Cookie"]
    for part in ("HttpOnly", "SameSite=Lax", "Secure", "Path=/admin"):
        assert part in cookie


async def test_the_menu_holds_what_somebody_may_open(client: Client) -> None:
    await log_in(client)
    text = await (await client.get("/admin/things")).text()
    assert 'href="/admin/things" aria-current="page"' in text
    assert "秘密" not in text
    assert (await client.get("/admin/secret")).status == 403


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_what_nobody_expected_is_a_page_with_the_request_and_a_way_on(
    client: Client, metrics: Metrics, method: str
) -> None:
    await log_in(client)
    form = {"form_token": await token_of(client)} if method == "POST" else None
    answer = await client.request(method, "/admin/bursts", data=form, headers={"X-Request-ID": "request-0815"})
    page = await answer.text()
    assert answer.status == 500
    for said in ("request-0815", "我们已经记下来了", 'href="/admin/">回到首页', "李老师", ">东西</a>"):
        assert said in page
    assert "ZeroDivision" not in page
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert metrics.registry.get_sample_value("xiangxiao_errors_total", {"where": "console"}) == 1


async def test_every_refusal_is_a_page_with_the_request_and_a_way_on(client: Client) -> None:
    headers = {"X-Request-ID": "request-0815"}
    for path, status, way in (
        ("/admin/nowhere", 404, "/admin/login"), ("/admin/static/none.css", 404, "/admin/login"),
        ("/admin/login/", 404, "/admin/login"),
    ):  # fmt: skip
        answer = await client.get(path, headers=headers)
        page = await answer.text()
        assert (answer.status, "request-0815" in page, f'href="{way}"' in page) == (status, True, True), path
    await log_in(client)
    for path, status in (("/admin/secret", 403), ("/admin/fails", 404), ("/admin/away", 503), ("/admin/files", 405)):
        answer = await client.get(path, headers=headers)
        page = await answer.text()
        assert (answer.status, "request-0815" in page, "回到首页" in page) == (status, True, True), path


async def test_a_refusal_is_written_down(client: Client) -> None:
    await log_in(client)
    answer = await client.get("/admin/fails")
    assert (answer.status, NotFound.default_message in await answer.text()) == (404, True)
    row = await AuditRow.get()
    assert (row.actor, row.outcome, row.action) == ("p", "denied", "class.view")


async def test_only_routes_for_files_take_large_bodies(client: Client) -> None:
    await log_in(client)
    token = await token_of(client)
    big = FormData({"form_token": token})
    big.add_field("file", BytesIO(b"x" * (BODY_LIMIT * 2)), filename="a.xlsx")
    assert (await client.post("/admin/files", data=big, allow_redirects=False)).status == 303
    huge = FormData({"form_token": token})
    huge.add_field("file", BytesIO(b"x" * (UPLOAD_LIMIT + 1)), filename="a.xlsx")
    assert (await client.post("/admin/files", data=huge, allow_redirects=False)).status == 413
    form = {"form_token": token, "text": "x" * BODY_LIMIT}
    assert (await client.post("/admin/things", data=form, allow_redirects=False)).status == 413
    part = FormData({"form_token": token})
    part.add_field("file", BytesIO(b"x"), filename="a.xlsx")
    assert (await client.post("/admin/things", data=part, allow_redirects=False)).status == 415


@pytest.mark.parametrize(
    ("method", "path", "data", "status"),
    [
        ("GET", "/admin/things?q=%00", None, 400),
        ("POST", "/admin/things", "{}", 415),
        ("DELETE", "/admin/things", None, 405),
        ("GET", "/admin/away", None, 503),
        ("GET", "/admin/static/../admin.py", None, 404),
    ],
)
async def test_what_cannot_be_read_is_a_page_too(
    client: Client, method: str, path: str, data: str | None, status: int
) -> None:
    await log_in(client)
    answer = await client.request(method, path, data=data)
    assert answer.status == status
    assert "<h1>" in await answer.text() or "static" in path


async def test_guessing_is_stopped_for_its_address_and_entering_is_not_counted(
    client: Client, clock: FrozenClock
) -> None:
    for _ in range(PER_MINUTE * 2):
        await log_in(client)
        client.session.cookie_jar.clear()
    token = await token_of(client, "/admin/login")
    for _ in range(PER_MINUTE):
        assert (await client.post("/admin/login", data={"form_token": token, "password": "no"})).status == 401
    answer = await client.post("/admin/login", data={"form_token": token, "password": "right"}, allow_redirects=False)
    assert answer.status == 429


async def test_going_out_takes_the_cookie_back(client: Client) -> None:
    await log_in(client)
    form = {"form_token": await token_of(client)}
    answer = await client.post("/admin/logout", data=form, allow_redirects=False)
    assert 'xiangxiao_console=""' in ";".join(answer.headers.getall("Set-Cookie"))
    assert (await client.get("/admin/things", allow_redirects=False)).status == 303


async def test_static_files_change_their_names_with_their_contents(client: Client) -> None:
    page = await (await client.get("/admin/login")).text()
    address = page.partition('rel="stylesheet" href="')[2].partition('"')[0]
    answer = await client.get(address)
    assert (answer.status, answer.content_type) == (200, "text/css")
    assert "immutable" in answer.headers["Cache-Control"]
    assert (await client.get("/admin/static/console.css")).status == 404
    assert (await client.get("/admin", allow_redirects=False)).headers["Location"] == "/admin/"


async def test_a_file_carries_its_name(client: Client) -> None:
    await log_in(client)
    headers = (await client.get("/admin/file")).headers
    assert headers["Content-Disposition"] == "attachment; filename*=UTF-8''%E5%90%8D%E5%8D%95%201.xlsx"


def view_of(**query: str) -> TableView:
    call = AdminCall(actor=Actor(), path={}, query=query)
    return TableView.of(call, "/things", filters=("name",), sorts=("class", "name"))


def test_a_view_of_a_table_knows_its_neighbours() -> None:
    view = view_of(name=" 王 ", sort="name", page="3", other="x")
    assert (view.filters, view.offset, view.size) == ({"name": "王"}, 100, 50)
    assert view.address_of_page(4) == "/admin/things?name=%E7%8E%8B&sort=name&desc=0&page=4"
    assert view.address_sorted("name").endswith("sort=name&desc=1")
    assert view.address_sorted("class").endswith("sort=class&desc=0")
    assert [view.last_page(total) for total in (0, 50, 51)] == [1, 1, 2]


@pytest.mark.parametrize("page", ["0", "-1", "x", "٣", "99999999"])
def test_a_page_number_that_is_none_is_the_first_or_the_last(page: str) -> None:
    assert view_of(page=page, sort="nonsense").page >= 1
