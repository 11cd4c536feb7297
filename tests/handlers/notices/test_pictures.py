"""Pictures of a notice: put to the draft, seen by who holds the link, copied into a correction, gone with it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from bot.clock import FrozenClock, SystemClock
from bot.config import Settings
from bot.storage.database import Database
from bot.storage.files import FileStore
from bot.storage.models import StoredFile
from bot.storage.redis import RedisStore
from bot.web.admin import PREFIX
from handlers.notices.service.pictures import MOST, album_of
from tests.bot.storage.test_pictures import photo
from tests.handlers.console.stage import Browser
from tests.handlers.notices.pages_stage import Office, open_office
from tests.handlers.notices.test_admin import sent_notice, submit, write


@pytest.fixture
async def office(
    database: Database, settings: Settings, redis: RedisStore, clock: FrozenClock
) -> AsyncIterator[Office]:
    async with open_office(settings, redis, clock) as opened:
        yield opened


async def put(browser: Browser, own: str, content: bytes) -> str:
    """Chooses a picture on the notice's page and sends it; gives the page that follows."""
    await browser.get(f"/notices/{own}")
    form = aiohttp.FormData()
    form.add_field("form_token", browser.token)
    form.add_field("picture", content, filename="IMG_0001.jpg", content_type="image/jpeg")
    async with browser.client.post(f"{PREFIX}/notices/{own}/pictures", data=form, allow_redirects=False) as response:
        browser.status = response.status
    return await browser.get(f"/notices/{own}")


async def pictures_of(own: str) -> list[str]:
    return [each.id for each in await FileStore(SystemClock()).of(album_of(own))]


async def drafted(office: Office, pictures: int = 1) -> str:
    """A draft with pictures."""
    own = await write(office)
    for _ in range(pictures):
        await put(office.browser, own, photo((80, 40)))
    return own


async def sent(office: Office) -> tuple[str, str]:
    """A notice with a picture that went out: its id and the picture's."""
    own = await drafted(office)
    await submit(office, own)
    await office.sent(own)
    return own, (await pictures_of(own))[0]


async def test_a_picture_is_put_to_a_draft_seen_and_taken_off(office: Office) -> None:
    own = await write(office)
    page = await put(office.browser, own, photo((80, 40)))
    (picture,) = await pictures_of(own)
    assert "图片放好了" in page
    assert page.count(f"/notices/{own}/pictures/{picture}") >= 3, "beside the button, and as the family will see it"
    async with office.browser.client.get(f"{PREFIX}/notices/{own}/pictures/{picture}") as response:
        assert (response.status, response.content_type) == (200, "image/jpeg")
        assert (await response.read()).startswith(b"\xff\xd8")
    await office.browser.get(f"/notices/{own}")
    await office.browser.post(f"/notices/{own}/pictures/{picture}/remove")
    assert await pictures_of(own) == []


@pytest.mark.parametrize(("content", "said"), [(b"no picture", "读不出来"), (b"", "还没有选图片")])
async def test_what_is_no_picture_is_said_on_the_page(office: Office, content: bytes, said: str) -> None:
    own = await write(office)
    assert said in await put(office.browser, own, content)
    assert await pictures_of(own) == []


async def test_there_are_no_more_pictures_than_a_phone_will_load(office: Office) -> None:
    own = await drafted(office, MOST)
    assert f"最多放{MOST}张" in await put(office.browser, own, photo((8, 4)))
    assert len(await pictures_of(own)) == MOST


async def test_a_picture_changes_the_draft_that_somebody_else_is_looking_at(office: Office) -> None:
    own = await write(office)
    await office.browser.get(f"/notices/{own}")
    seen = office.browser.hidden("version")
    await put(office.browser, own, photo((8, 4)))
    await office.browser.post(f"/notices/{own}/submit", {"version": seen})
    assert office.browser.status == 409


async def test_what_is_out_gets_no_other_pictures(office: Office) -> None:
    own, picture = await sent(office)
    browser = await office.enter("head")
    page = await put(browser, own, photo((8, 4)))
    assert "选一张图片" not in page
    await browser.post(f"/notices/{own}/pictures/{picture}/remove")
    assert browser.status == 409
    assert await pictures_of(own) == [picture]


async def test_a_family_sees_it_under_its_own_link_and_nobody_else_does(office: Office) -> None:
    own, picture = await sent(office)
    other = await drafted(office)
    (foreign,) = await pictures_of(other)
    ticket = await office.ticket(own, "ready")
    client = office.browser.client
    client.session.cookie_jar.clear()
    async with client.get(f"/n/{ticket}") as response:
        page = await response.text()
    assert f'src="/n/{ticket}/pictures/{picture}"' in page
    async with client.get(f"/n/{ticket}/pictures/{picture}") as response:
        assert (response.status, response.content_type) == (200, "image/jpeg")
        assert response.headers["Cache-Control"].startswith("private")
        assert response.headers["X-Content-Type-Options"] == "nosniff"
    for path in (f"/n/{ticket}/pictures/{foreign}", f"/n/{'x' * 32}/pictures/{picture}", f"/n/{ticket}/pictures/1"):
        async with client.get(path) as response:
            assert response.status == 404, path


async def test_a_correction_begins_with_the_pictures_and_may_have_others(office: Office) -> None:
    own, picture = await sent(office)
    browser = await office.enter("head")
    await browser.get(f"/notices/{own}")
    await browser.post(f"/notices/{own}/correct")
    correction = browser.location.split("/")[2]
    (copied,) = await pictures_of(correction)
    assert copied != picture
    await browser.get(f"/notices/{correction}")
    await browser.post(f"/notices/{correction}/pictures/{copied}/remove")
    assert await pictures_of(own) == [picture]


async def test_pictures_go_with_their_draft(office: Office) -> None:
    own = await drafted(office)
    await office.browser.get(f"/notices/{own}")
    await office.browser.post(f"/notices/{own}/discard")
    assert not await StoredFile.all().exists()


async def test_a_notice_without_pictures_has_none(office: Office) -> None:
    own = await sent_notice(office)
    client = office.browser.client
    client.session.cookie_jar.clear()
    async with client.get(f"/n/{await office.ticket(own, 'ready')}") as response:
        assert "/pictures/" not in await response.text()
