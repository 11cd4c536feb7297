"""All routes of the product together: what each declares about itself."""

from __future__ import annotations

import pytest

from bot.app import ASSEMBLY, build_app
from bot.config import Settings
from bot.dialogue.router import Route, Tier
from bot.identity import Role
from handlers.catalogue import CAPABILITIES

# What may run for a sender who may be forged: it changes nothing and reads nothing about people.
OPEN = {
    "after_school.not_a_guardian",
    "after_school.sign_up.tapped.not_a_guardian",
    "consent.not_a_guardian",
    "notices.not_a_reader",
    "policy.answer",
    "policy.choose",
    "policy.how",
    "policy.tapped",
    "reminders.class.how",
    "support.follow",
    "support.help",
    "support.help.tapped",
    "support.media.link",
    "support.media.location",
    "after_school.waiver.not_a_guardian",
    "support.media.picture",
    "support.media.video",
    "support.media.voice",
    "support.menu",
    "support.nothing_to_quit",
    "support.scan",
    "support.tapped",
}


@pytest.fixture
def routes(bare_settings: Settings) -> tuple[Route, ...]:
    return build_app(bare_settings)[ASSEMBLY].router.routes


def test_every_route_says_who_may_use_it(routes: tuple[Route, ...]) -> None:
    assert all(route.roles for route in routes)
    assert {route.name for route in routes if route.roles == {Role.DUTY}} == {
        "support.duty.answer",
        "support.duty.claim",
        "support.duty.close",
        "support.duty.look",
        "support.duty.todo",
    }


def test_what_a_forged_message_may_reach_is_known(routes: tuple[Route, ...]) -> None:
    assert {route.name for route in routes if not route.needs_certain_sender} == OPEN


def test_there_is_one_last_resort_for_text(routes: tuple[Route, ...]) -> None:
    from bot.wechat.messages import TextMessage

    assert [route.name for route in routes if route.of is TextMessage and route.tier is Tier.LAST] == ["policy.answer"]


def test_names_say_which_capability_a_route_is_of(routes: tuple[Route, ...]) -> None:
    chatting = {part.name for part in CAPABILITIES} - {"rosters", "calendar", "deliveries"}
    machinery = {"delivery"}
    assert {route.name.split(".")[0] for route in routes} == chatting | machinery
