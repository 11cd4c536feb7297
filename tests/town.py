"""A small town for tests: the whole application, served, a WeChat beside it, and people with phones."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import xmltodict
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot.app import ASSEMBLY, LIBRARY, WECHAT, WORKER, build_app, worker_of
from bot.clock import FrozenClock
from bot.config import Settings
from bot.delivery.worker import DeliveryWorker
from bot.emulator.follower import Follower
from bot.emulator.platform import Account, AccountKeys
from bot.emulator.rules import Rules
from bot.emulator.server import Emulator
from bot.emulator.wire import Wire
from bot.wechat.client import WeChatClient
from handlers.policy.service.question_log import QuestionLog
from knowledge.base import KnowledgeBase
from tests.knowledge.content import FILES, write
from tests.settings import make_settings

PARENT, OTHER_PARENT = "demo_g_000001", "demo_g_000002"
OWNER, OTHER_OWNER = "demo_a_0001", "demo_a_0002"
DUTY = [{"id": OWNER, "name": "赵主任", "phone": "0500-1234567"}]

# Four more towns, so that a class size cannot be told without knowing where.
TOWNS = {"dongshan": ("东山镇", 41), "nanhu": ("南湖镇", 42), "beigou": ("北沟镇", 43)}
_TOWN = """
方案:
  编号: {id}
  标题: {name}学校管理办法
  称呼: {name}办法
  地方: {{省: 江南省, 县: 白云县, 乡镇: {name}}}
  别名: [{short}]
  年份: 2026
  状态: 有效
  询问: {name}教育办公室
条目:
  - 编号: class-size
    问题: 一个班最多多少人？
    答: 每班不超过{size}人。
    事实: [{{类: 数量, 值: {size}人, 项: 班额}}]
    章节: 一
    话题: [班额]
    所问: [数量, 标准]
    问法: [每个班限多少人, 班额是多少, 一个教室坐几个娃]
    不是: [学校有多少老师]
"""


@cache
def town_base() -> KnowledgeBase:
    """The knowledge of the town; immutable, so shared by all tests of a process."""
    with TemporaryDirectory() as folder:
        return KnowledgeBase.load([write(Path(folder), content())])


def content() -> dict[str, str]:
    """The small content, and the four towns."""
    towns = {
        f"{id}.yaml": _TOWN.format(id=id, name=name, short=name[:2], size=size) for id, (name, size) in TOWNS.items()
    }
    return FILES | towns


@dataclass
class Town:
    """One running application and its WeChat."""

    app: web.Application
    client: TestClient[web.Request, web.Application]
    emulator: Emulator
    account: Account
    clock: FrozenClock
    settings: Settings
    _followers: dict[str, Follower] = field(default_factory=dict)

    def person(self, openid: str = PARENT, *, is_following: bool = True) -> Follower:
        """Somebody with a phone."""
        if openid not in self._followers:
            self._followers[openid] = self.emulator.follower(self.account, openid, is_following=is_following)
        return self._followers[openid]

    @property
    def worker(self) -> DeliveryWorker:
        """Delivers when told to."""
        return self.app[WORKER] if WORKER in self.app else worker_of(self.app)

    @property
    def app_wechat(self) -> WeChatClient:
        """The application's client."""
        return self.app[WECHAT]

    async def log_questions(self) -> None:
        """Writes what waits to be logged."""
        for part in self.app[ASSEMBLY].parts:
            for background in part.background:
                if isinstance(background, QuestionLog):
                    await background.flush()

    def opened(self, answer: bytes) -> str:
        """The words of an answer of the callback."""
        clear = answer if self.settings.wechat.mode == "plain" else Wire(self.account.keys).open_answer(answer)
        return str(xmltodict.parse(clear)["xml"]["Content"])

    async def deliver(self) -> None:
        """Sends what is due now."""
        while await self.worker.run_once():
            pass


@asynccontextmanager
async def running_town(
    database_url: str,
    clock: FrozenClock,
    *,
    rules: Rules | None = None,
    knowledge: Callable[[], KnowledgeBase] = town_base,
    **sections: dict[str, Any],
) -> AsyncIterator[Town]:
    """A town over a database; `sections` are laid over its settings."""
    async with AsyncExitStack() as stack:
        emulator = await stack.enter_async_context(Emulator(clock, rules or Rules(answer_within_s=5.0)))
        sections.setdefault("support", {"duty": DUTY})
        sections["wechat"] = {"api_base": emulator.url, **sections.get("wechat", {})}
        settings = make_settings(database={"url": database_url}, **sections)
        app = build_app(settings, clock=clock, worker=False, knowledge=knowledge)
        client = await stack.enter_async_context(TestClient(TestServer(app)))
        emulator.callback_url = str(client.make_url("/wechat"))
        account = emulator.platform.add_account(account_keys(settings))
        await app[LIBRARY].wait()
        yield Town(app, client, emulator, account, clock, settings)


def account_keys(settings: Settings) -> AccountKeys:
    """The emulated account that fits the settings."""
    wechat = settings.wechat
    return AccountKeys(
        app_id=wechat.app_id,
        app_secret=wechat.app_secret.get_secret_value(),
        token=wechat.token.get_secret_value(),
        encoding_aes_key=wechat.encoding_aes_key.get_secret_value(),
        mode=wechat.mode,
        original_id=wechat.original_id,
    )
