"""The township of the demo: filled once, and at every start a fresh slip for the stranger, and the way in for staff."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from bot.audit.log import Audit
from bot.clock import Clock, local_date
from bot.config import Settings
from bot.config_values import decode_key
from bot.demo_township.build import plan_township
from bot.demo_township.cases import NEWCOMER, TEACHER_AND_PARENT, odd_openid
from bot.demo_township.families import guardian_key, guardian_openid
from bot.demo_township.fill import fill, invitations
from bot.demo_township.life import live
from bot.demo_township.plan import Case, PupilPlan, TownshipPlan
from bot.demo_township.staff import staff_openid
from bot.identity import SYSTEM
from bot.storage.base import blind_index
from bot.storage.database import open_database, transaction
from handlers.accounts.service.bulk import BulkReader, People
from handlers.accounts.service.founding import founded_on, is_bound
from handlers.accounts.service.sessions import SessionService
from handlers.console.domain import time_step, totp_code
from handlers.console.service.credentials import CredentialService

FAMILIES: Final = 60
ADMINISTRATOR: Final = "a/0001"
LOGIN: Final = "demo-admin"


@dataclass(frozen=True, slots=True)
class Hint:
    """What a visitor should know of somebody in the demo. Empty: nothing beyond what is always known of them."""

    about: str = ""
    tip: str = ""
    says: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entrance:
    """How the demo's administrator logs in to the console. None of it is kept: it follows from the keys."""

    login: str
    password: str
    secret: str

    def code(self, clock: Clock) -> str:
        """What an authenticator would show now."""
        return totp_code(self.secret, time_step(clock.now()))


@dataclass(frozen=True, slots=True)
class Staged:
    """A township ready to be visited. `hints` by WeChat id at the 服务号; `ids` by the keys of the plan, None where it
    was filled at an earlier start."""

    plan: TownshipPlan
    hints: Mapping[str, Hint]
    entrance: Entrance
    ids: Mapping[str, UUID] | None = None


async def stage(settings: Settings, clock: Clock) -> Staged:
    """Fills the database unless it is filled already. The database is migrated and not open."""
    entrance = entrance_of(settings)
    async with open_database(settings):
        founded, ids = await founded_on(), None
        plan = plan_township(founded or local_date(clock.now()), families=FAMILIES)
        if founded is None:
            ids = await fill(plan, settings)
            await _let_in(settings, clock, ids[ADMINISTRATOR], entrance)
        code = await _slip(plan, clock)
    return Staged(plan, hints_of(plan, code), entrance, ids)


async def enliven(staged: Staged, settings: Settings, clock: Clock) -> None:
    """Lets a township that was filled just now have a past: all of it at once, in the database that is open. Apart from
    `stage`, so that nobody waits for it."""
    if staged.ids is not None:
        async with transaction():
            await live(staged.plan, staged.ids, settings, clock.now())


def entrance_of(settings: Settings) -> Entrance:
    """The same for the same keys."""
    key = decode_key(settings.security.session_key.get_secret_value())

    def drawn(purpose: str, length: int) -> str:
        return base64.b32encode(hmac.digest(key, purpose.encode(), "sha256"))[:length].decode()

    word = drawn("demo.password", 12).lower()
    return Entrance(LOGIN, "-".join((word[:4], word[4:8], word[8:])), drawn("demo.authenticator", 32))


def hints_of(plan: TownshipPlan, code: str | None) -> Mapping[str, Hint]:
    """`code` is that of the stranger's slip, None when she is bound already."""
    first, second = plan.children(guardian_key(1))[:2]
    hints = {
        guardian_openid(1): Hint(
            f"有两个孩子：{first.name}（{plan.place(first.room)}）和{second.name}（{plan.place(second.room)}），已经绑定。"
        ),
        staff_openid("h/0001"): Hint(f"{plan.place(first.room)}的班主任，有一件绑定申请等着核对。"),
    }
    (own,) = plan.case(Case.TEACHER_AND_PARENT)
    hints[odd_openid(TEACHER_AND_PARENT)] = Hint(f"教语文，自己的孩子{own.name}在{plan.place(own.room)}。")
    if len(plan.children(guardian_key(2))) == 1:
        (grandchild,) = plan.children(guardian_key(2))
        hints[guardian_openid(2)] = Hint(f"孙辈{grandchild.name}的爸妈在外打工，平时由她接送，已经绑定。")
    (child,) = plan.case(Case.NEWCOMER)
    hints[NEWCOMER] = _newcomer(child, code)
    return hints


def _newcomer(child: PupilPlan, code: str | None) -> Hint:
    if code is None:
        return Hint(f"孩子{child.name}已经绑定好了。", "试试：回复“我的孩子”。", ("我的孩子", "儿童信息授权"))
    born = in_words(child.birth_date)
    proof = f"{child.name} {born}"
    return Hint(
        f"刚关注。手里有学校发的纸条，邀请码 {code}；孩子{child.name}，{born}出生。",
        f"试试：回复“绑定”，邀请码是 {code}，孩子是“{proof}”，她是妈妈。",
        ("绑定", "同意", code, proof),
    )


def in_words(day: date) -> str:
    """2017年3月5日."""
    return f"{day.year}年{day.month}月{day.day}日"


async def _let_in(settings: Settings, clock: Clock, person_id: UUID, entrance: Entrance) -> None:
    key = decode_key(settings.security.session_key.get_secret_value())
    credentials = CredentialService(clock, Audit(clock), SessionService(clock, key))
    await credentials.put(person_id, entrance.login, entrance.password, totp_secret=entrance.secret)


async def _slip(plan: TownshipPlan, clock: Clock) -> str | None:
    """The code of a new slip for the stranger: of an older one only the fingerprint is kept. None when there is
    nothing for her to bind."""
    if await is_bound(blind_index("openid", NEWCOMER)):
        return None
    (child,) = plan.case(Case.NEWCOMER)
    known = People()
    await BulkReader(known).pupils_named(roster_numbers=[child.roster_number])
    if not known.pupils:
        return None
    (slip,) = await invitations(clock).issue(SYSTEM, [str(next(iter(known.pupils)))], with_qr=False)
    return slip.code
