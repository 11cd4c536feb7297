"""The support capability, put together, and the menu of the 服务号."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.capability import Capability, EntryPoints, Machinery, MenuItem
from bot.errors import InvalidInput
from handlers.accounts.service.offices import Offices
from handlers.alarms.service.alarms import AlarmService
from handlers.support import texts
from handlers.support.chat import asking, greeting
from handlers.support.chat.asking import Asking
from handlers.support.chat.duty import Duty
from handlers.support.chat.greeting import Greeting
from handlers.support.service.alarming import Alarming
from handlers.support.service.duty import DutyRoster
from handlers.support.service.hand_overs import NOTICE, HandOverService
from handlers.support.service.leaving import LeavingService

# What WeChat accepts, in bytes of UTF-8.
MAX_TOP_BYTES, MAX_SUB_BYTES, MAX_KEY_BYTES = 16, 60, 128
MAX_TOP, MAX_SUB = 3, 5
FIRST, MINE = "问政策", "我的"


class MenuTooLarge(InvalidInput):
    """A menu that WeChat would refuse; `message` says which part."""

    code = "menu_too_large"


def build(machinery: Machinery) -> EntryPoints:
    """Services and entry points over the machinery of one application."""
    roster = DutyRoster(machinery.settings.support.duty)
    alarming = Alarming(machinery.services.get(AlarmService), Offices(machinery.clock), roster, machinery.clock)
    matters = HandOverService(roster, machinery.outbox, machinery.clock, alarming)
    people = Asking(matters, is_staffed=roster.is_staffed)
    return EntryPoints(
        routes=(
            *Greeting(LeavingService(machinery.erasure)).routes(),
            *people.routes(),
            *Duty(matters).routes(),
        ),
        prefaces=(people,),
        profiles=(matters,),
        erasers=(matters,),
        checks={NOTICE: matters},
        identity=roster,
    )


SUPPORT = Capability(
    name="support",
    build=build,
    menu=(
        MenuItem("我的", texts.MENU_MINE, asking.MINE),
        MenuItem("我的", texts.MENU_PERSON, asking.PERSON),
        MenuItem("我的", texts.MENU_HELP, greeting.HELP),
    ),
)


def menu_of(capabilities: Sequence[Capability]) -> Mapping[str, Any]:
    """The menu of all capabilities as WeChat takes it, in their order. Raises MenuTooLarge."""
    tops: dict[str, list[MenuItem]] = {}
    for capability in capabilities:
        for item in capability.menu:
            tops.setdefault(item.under, []).append(item)
    # What everybody may ask stands first and what is one's own last, whichever capability comes first.
    tops = dict(sorted(tops.items(), key=lambda top: (top[0] == MINE, top[0] != FIRST)))
    _check(len(tops) <= MAX_TOP, "一级菜单", len(tops))
    for top, items in tops.items():
        _check(len(top.encode()) <= MAX_TOP_BYTES, top, len(top.encode()))
        _check(len(items) <= MAX_SUB, top, len(items))
        for item in items:
            _check(len(item.name.encode()) <= MAX_SUB_BYTES, item.name, len(item.name.encode()))
            _check(len(item.key.encode()) <= MAX_KEY_BYTES, item.key, len(item.key.encode()))
    return {"button": [{"name": top, "sub_button": [_button(item) for item in items]} for top, items in tops.items()]}


def _button(item: MenuItem) -> dict[str, str]:
    return {"type": "click", "name": item.name, "key": item.key}


def _check(holds: bool, what: str, size: int) -> None:
    if not holds:
        raise MenuTooLarge(f"菜单放不下：{what}（{size}）")
