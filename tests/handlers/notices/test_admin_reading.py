"""The page a family opens by the link in their message."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest

from bot.clock import FrozenClock
from bot.config import Settings
from bot.storage.database import Database
from bot.storage.redis import RedisStore
from handlers.accounts.models import Guardianship
from handlers.notices.admin.reading import given_name
from handlers.notices.models import NoticeRecipient
from tests.handlers.notices.pages_stage import Office, open_office
from tests.handlers.notices.test_admin import sent_notice


@pytest.fixture
async def office(
    database: Database, settings: Settings, redis: RedisStore, clock: FrozenClock
) -> AsyncIterator[Office]:
    async with open_office(settings, redis, clock) as opened:
        yield opened


async def page_of(office: Office, path: str) -> tuple[int, str]:
    """A page as an old phone gets it: without a session."""
    office.browser.client.session.cookie_jar.clear()
    async with office.browser.client.get(path, allow_redirects=False) as response:
        assert "Set-Cookie" not in response.headers
        return response.status, await response.text()


async def test_a_family_reads_and_confirms_without_a_log_in(office: Office) -> None:
    own = await sent_notice(office)
    path = f"/n/{await office.ticket(own, 'ready')}"
    status, page = await page_of(office, path)
    assert status == 200
    assert "9月11日（星期五）下午3点开家长会" in page
    assert "若曦的家长" in page
    assert "何若曦" not in page
    assert "确认：我知道了" in page
    assert "<script" not in page
    async with office.browser.client.post(path, data={}, allow_redirects=False) as response:
        assert response.status == 303
        assert response.headers["Location"] == path
    status, page = await page_of(office, path)
    assert "您已经确认了" in page
    assert "<form" not in page
    rows = await NoticeRecipient.filter(notice_id=own, person_id=office.village.families["ready"].id)
    assert rows[0].confirmed_at is not None


async def test_opening_is_known_by_the_own_link(office: Office) -> None:
    own = await sent_notice(office)
    mine = NoticeRecipient.filter(notice_id=own, person_id=office.village.families["plain"].id)
    assert (await mine.get()).opened_at is None
    path = f"/n/{await office.ticket(own, 'plain')}"
    _, page = await page_of(office, path)
    [point] = re.findall(r'<img class="point" src="([^"]+)"', page)
    client = office.browser.client
    async with client.get(point) as response:
        assert (response.status, response.content_type) == (200, "image/gif")
        assert response.headers["Cache-Control"] == "no-store"
        assert (await response.read()).startswith(b"GIF89a")
    row = await mine.get()
    assert row.opened_at is not None
    assert row.confirmed_at is None


async def test_whoever_only_looks_at_the_link_has_not_opened_it(office: Office) -> None:
    """The platform's check, a preview, a browser that fetches ahead."""
    own = await sent_notice(office, confirmation="opened")
    mine = NoticeRecipient.filter(notice_id=own, person_id=office.village.families["plain"].id)
    path = f"/n/{await office.ticket(own, 'plain')}"
    client = office.browser.client
    for method, where, headers in (
        ("GET", path, {}),
        ("HEAD", path, {}),
        ("HEAD", f"{path}/seen.gif", {}),
        ("GET", f"{path}/seen.gif", {"Sec-Purpose": "prefetch;prerender"}),
        ("GET", f"{path}/seen.gif", {"Purpose": "prefetch"}),
    ):
        async with client.session.request(method, client.make_url(where), headers=headers) as response:
            assert response.status == (405 if method == "HEAD" else 200)
    row = await mine.get()
    assert (row.opened_at, row.confirmed_at) == (None, None)
    async with client.get(f"{path}/seen.gif") as response:
        assert response.status == 200
    row = await mine.get()
    assert None not in (row.opened_at, row.confirmed_at)
    async with client.get("/n/x/seen.gif") as response:
        assert response.status == 404


async def test_both_children_of_a_mother_are_named(office: Office) -> None:
    own = await sent_notice(office)
    _, page = await page_of(office, f"/n/{await office.ticket(own, 'elder')}")
    assert "明禾" in page
    assert "明川" in page


async def test_a_form_with_a_fault_loses_nothing(office: Office) -> None:
    own = await sent_notice(
        office,
        confirmation="form",
        q_key=["", ""],
        q_kind=["choice", "text"],
        q_text=["来几个人", "有什么要说的"],
        q_choices=["1人\n2人", ""],
        q_required=["yes", "no"],
    )
    path = f"/n/{await office.ticket(own, 'ready')}"
    _, page = await page_of(office, path)
    assert "来几个人" in page
    client = office.browser.client
    async with client.post(path, data={"q2": "走路来"}, allow_redirects=False) as response:
        page = await response.text()
        assert response.status == 422
    assert "还没有回答" in page
    assert "走路来" in page
    async with client.post(path, data={"q1": "2人", "q2": "走路来"}, allow_redirects=False) as response:
        assert response.status == 303
    _, page = await page_of(office, path)
    assert "回执交上去了" in page
    assert "要改回执" in page
    assert 'value="2人" checked' in page


@pytest.mark.parametrize("ticket", ["x", "0" * 32, "%00", "a" * 4000])
async def test_an_unknown_link_opens_a_plain_page_with_a_way_on(office: Office, ticket: str) -> None:
    status, page = await page_of(office, f"/n/{ticket}")
    assert status in {400, 404}
    assert "我的通知" in page


async def test_a_guardian_who_is_none_any_more_reads_nothing(office: Office) -> None:
    own = await sent_notice(office)
    path = f"/n/{await office.ticket(own, 'plain')}"
    today = office.clock.now().date()
    await Guardianship.filter(person_id=office.village.families["plain"].id).update(ended_on=today)
    status, page = await page_of(office, path)
    assert status == 404
    assert "家长会" not in page


async def test_a_recalled_notice_says_so(office: Office) -> None:
    own = await sent_notice(office)
    path = f"/n/{await office.ticket(own, 'plain')}"
    await office.browser.post(f"/notices/{own}/recall")
    _, page = await page_of(office, path)
    assert "已经撤回" in page
    assert "<form" not in page


async def test_the_page_is_for_nobody_else(office: Office) -> None:
    own = await sent_notice(office)
    async with office.browser.client.get(f"/n/{await office.ticket(own, 'ready')}") as response:
        headers = response.headers
    assert "script-src" not in headers["Content-Security-Policy"]
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"
    assert "noindex" in headers["X-Robots-Tag"]


async def test_the_link_stands_in_no_log(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    own = await sent_notice(office)
    ticket = await office.ticket(own, "ready")
    with caplog.at_level("DEBUG"):
        await page_of(office, f"/n/{ticket}")
    own_log = [record for record in caplog.records if record.name.startswith("bot.")]
    assert own_log
    assert all(ticket not in f"{record.__dict__}" for record in own_log)


async def test_anything_but_a_plain_form_is_refused(office: Office) -> None:
    own = await sent_notice(office)
    path = f"/n/{await office.ticket(own, 'ready')}"
    client = office.browser.client
    async with client.post(path, json={"q1": "x"}) as response:
        assert response.status == 400
    async with client.post(path, data={"q1": "x" * 70_000}) as response:
        assert response.status in {400, 413}
    async with client.put(path, data={}) as response:
        assert response.status == 405


@pytest.mark.parametrize(
    ("name", "called"), [("何若曦", "若曦"), ("何云", "云"), ("欧阳若曦", "若曦"), ("阿迪力·买买提", "迪力")]
)
def test_a_child_is_called_as_at_home(name: str, called: str) -> None:
    assert given_name(name) == called
