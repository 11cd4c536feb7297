"""The console of the whole application: every page opens for somebody, and for nobody else."""

from __future__ import annotations

import pytest
from aiohttp import CookieJar, web
from aiohttp.test_utils import TestClient, TestServer

from bot.app import ASSEMBLY, CLOCK
from bot.config_values import decode_key
from bot.identity import Role
from bot.rights import RIGHTS, Scope
from bot.web.admin import PREFIX, AdminRoute
from bot.web.admin_pages import pages_of
from handlers.accounts.domain import AppointmentKind
from handlers.accounts.service.sessions import SessionService
from tests.architecture.sources import ROOT
from tests.factories import make_appointment, make_class, make_guardianship, make_person, make_pupil, make_school
from tests.settings import TEST_KEY

KINDS = {
    AppointmentKind.SUBJECT_TEACHER: "teacher",
    AppointmentKind.HEAD_TEACHER: "head_teacher",
    AppointmentKind.DUTY: "duty",
    AppointmentKind.PROTECTION_LEAD: "protection_lead",
    AppointmentKind.SCHOOL_LEADER: "school_leader",
    AppointmentKind.TOWNSHIP_ADMINISTRATOR: "administrator",
    AppointmentKind.EDITOR: "editor",
    AppointmentKind.REVIEWER: "reviewer",
}


def plain_pages(app: web.Application) -> list[AdminRoute]:
    """The pages whose address names no particular thing."""
    routes = [route for part in app[ASSEMBLY].parts for route in part.admin]
    return [route for route in routes if route.method == "GET" and "{" not in route.path]


@pytest.mark.slow
async def test_each_role_opens_exactly_the_pages_of_its_rights(app: web.Application) -> None:
    pages = plain_pages(app)
    assert len(pages) > 10
    async with TestClient(TestServer(app), cookie_jar=CookieJar(unsafe=True)) as client:
        school = await make_school()
        room = await make_class(school)
        await make_guardianship(await make_pupil(room))
        sessions = SessionService(app[CLOCK], decode_key(TEST_KEY))
        for kind, role in KINDS.items():
            person = await make_person()
            await make_appointment(kind, person, school=school, school_class=room)
            secret = (await sessions.open_console(person.id)).secret
            for page in pages:
                if page.is_for_visitors:
                    continue
                client.session.cookie_jar.update_cookies({"xiangxiao_console": secret})
                answer = await client.get(PREFIX + page.path, allow_redirects=False)
                if answer.status == 303 and answer.headers["Location"].startswith(f"{PREFIX}{page.path}/"):
                    # Whoever has one school only is led to the page of that.
                    answer = await client.get(answer.headers["Location"], allow_redirects=False)
                text = (await answer.read()).decode(errors="replace")
                has_right = RIGHTS[page.action][Role(role)] is not Scope.NONE
                # 422: a page that must be told which of several.
                assert answer.status in ({200, 422} if has_right else {403}), (role, page.path, text[-600:])
                assert answer.content_type != "text/html" or "<h1" in text, (role, page.path)


@pytest.mark.slow
async def test_nobody_opens_a_page_without_a_log_in(app: web.Application) -> None:
    async with TestClient(TestServer(app), cookie_jar=CookieJar(unsafe=True)) as client:
        for page in plain_pages(app):
            if page.is_for_visitors:
                continue
            answer = await client.get(PREFIX + page.path, allow_redirects=False)
            assert answer.headers["Location"].startswith(f"{PREFIX}/login"), page.path
        assert (await client.get(f"{PREFIX}/login")).status == 200


def test_every_template_can_be_read() -> None:
    """They are compiled when first shown: one with a fault must not wait for somebody to look at it."""
    pages = pages_of(tuple(sorted((ROOT / "handlers").glob("*/templates"))))
    assert len(pages.names()) > 40
    for name in pages.names():
        pages._templates.get_template(name)
