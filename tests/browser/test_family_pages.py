"""Pages for families far away and of asking anew, in a real browser: on a telephone and in the office."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer
from playwright.async_api import Page, expect

from bot.clock import FrozenClock
from bot.identity import Actor
from bot.metrics import Metrics
from bot.storage.database import open_database
from bot.storage.migration import migrate
from bot.storage.redis import RedisStore, redis_client
from handlers.accounts.models import Pupil
from handlers.accounts.service.sessions import SessionService
from handlers.consent.domain.decisions import Decision
from handlers.consent.service.consents import ConsentService
from handlers.consent.service.founding import MadeDecision, put_decisions
from handlers.contacts.domain.card import FactKind, Holder
from handlers.contacts.domain.family import CallState, WishHow
from handlers.contacts.models import ContactsCall
from handlers.contacts.service.family.calls import Calls
from handlers.contacts.service.family.wishes import Wishes
from handlers.contacts.service.refreshing.campaigns import Campaigns
from tests.browser.desk import Desk
from tests.browser.profiles import Profiles
from tests.browser.test_console import Looker, looker
from tests.handlers.console.stage import console_app
from tests.handlers.contacts.stage import NOW, Contacts
from tests.handlers.contacts.test_cards import stated
from tests.handlers.contacts.test_family import guardian_of
from tests.settings import make_settings, sqlite_url

__all__ = ["looker"]

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

LABELS = ("留守", "单亲", "贫困", "残疾", "关爱")
LATER = NOW + timedelta(days=100)


@dataclass
class Site:
    """A running console, and the school behind it."""

    url: str
    contacts: Contacts
    mother: Actor

    async def secret(self, actor: Actor) -> str:
        """A session at the console."""
        assert actor.person_id is not None
        return (await self.contacts.machinery.services.get(SessionService).open_console(actor.person_id)).secret


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    settings = make_settings(database={"url": sqlite_url(tmp_path_factory.mktemp("family") / "console.db")})
    await asyncio.to_thread(lambda: asyncio.run(migrate(settings)))
    store = RedisStore(redis_client("memory://"), Metrics())
    async with open_database(settings):
        contacts = await Contacts(settings, store, FrozenClock(NOW)).build(1)
        await Pupil.filter(id=contacts.children[0].id).update(name="何若曦")
        await contacts.paired()
        mother = await guardian_of(contacts)
        yield_to = Site("", contacts, mother)
        await _filled(yield_to)
        async with TestServer(console_app(contacts.machinery, contacts.assembly.parts)) as server:
            yield_to.url = str(server.make_url("")).rstrip("/")
            yield yield_to
    await store.close()


async def _filled(site: Site) -> None:
    """The mother wants to hear, has a call booked, and the card is a hundred days old."""
    contacts, get = site.contacts, site.contacts.machinery.services.get
    teacher, child = contacts.people.teacher, contacts.child()
    await contacts.cards.state(teacher, child, stated())
    await contacts.cards.state(teacher, child, stated(FactKind.WORKPLACE, "广东东莞", holder=Holder.PARENT_1))
    contacts.clock.set(LATER)
    made = MadeDecision(UUID(child), UUID(str(site.mother.person_id)), Decision.GIVEN)
    await put_decisions([made], version=get(ConsentService).notice.version, channel="chat", now=LATER)
    await get(Wishes).enter(teacher, child, str(site.mother.person_id), WishHow.BY_PHONE, is_wanted=True)
    await get(Calls).ask(site.mother, child, LATER + timedelta(days=1))
    await get(Campaigns).begin(contacts.people.lead, LATER.date() + timedelta(days=30), 90)


@pytest_asyncio.fixture(loop_scope="session")
async def desk(browser: Profiles, site: Site, looker: Looker) -> AsyncIterator[Desk]:
    async with Desk(browser, site.url, site.secret, looker, "family").opened() as opened:
        yield opened


async def says_nothing_of_why(page: Page) -> None:
    """Neither the title nor the page names a label."""
    said = await page.title() + await page.locator("main").inner_text()
    assert [word for word in LABELS if word in said] == []


async def test_a_teacher_asks_anew_on_a_telephone_without_a_script(desk: Desk, site: Site) -> None:
    page = await desk.open(site.contacts.people.teacher, "/contacts/refresh", script=False, size="phone")
    await says_nothing_of_why(page)
    await expect(page.get_by_role("button", name="没变")).to_have_count(2)
    await page.get_by_role("button", name="没变").first.click()
    await expect(page.get_by_role("button", name="没变")).to_have_count(1)
    page = await desk.open(site.contacts.people.teacher, "/contacts/refresh")
    await desk.look(page, "refresh")
    page = await desk.open(site.contacts.people.lead, "/contacts/refreshing")
    await says_nothing_of_why(page)
    await desk.look(page, "refreshing")
    page = await desk.open(site.contacts.people.admin, "/contacts/refreshing")
    await desk.look(page, "refreshing-town", again=True)


async def test_a_teacher_writes_the_month_s_word_and_books_a_call(desk: Desk, site: Site) -> None:
    page = await desk.open(site.contacts.people.head, "/contacts/words", size="phone")
    await says_nothing_of_why(page)
    await desk.look(page, "words")
    await page.get_by_label("或者挑一句").first.select_option(index=1)
    await page.get_by_role("button", name="存好").first.click()
    await expect(page.get_by_text("写好了").first).to_be_visible()
    page = await desk.open(site.contacts.people.teacher, f"/contacts/families/{site.contacts.child()}")
    await says_nothing_of_why(page)
    await page.locator("main summary").first.click()
    await desk.look(page, "family")
    await desk.go(page, "/contacts/calls")
    await says_nothing_of_why(page)
    await desk.look(page, "calls")
    await page.get_by_role("button", name="行，就这个时间").click()
    await expect(page.get_by_text("约好了").first).to_be_visible()
    await ContactsCall.filter(state=CallState.AGREED).update(at=LATER - timedelta(hours=1))
    await desk.go(page, "/contacts/today")
    await expect(page.get_by_text("约好的通话打了吗")).to_be_visible()
    await desk.look(page, "today", again=True)
    await desk.go(page, f"/contacts/own/{site.contacts.child()}/heard")
    await desk.look(page, "heard")
    await desk.go(page, f"/contacts/own/{site.contacts.child()}")
    await desk.look(page, "own", again=True)
