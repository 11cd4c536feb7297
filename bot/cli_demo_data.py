"""`xiangxiao demo-data`: fills an empty database with the made-up township."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Final
from urllib.parse import urlsplit

import typer

from bot.cli_config import ConfigOption, read_settings
from bot.clock import SystemClock, local_date
from bot.config import Settings
from bot.demo_township.build import MOST_FAMILIES, plan_township
from bot.errors import Conflict
from bot.logs import configure_logs
from bot.progress import Progress

if TYPE_CHECKING:
    from bot.demo_township.plan import TownshipPlan

# Every way into the real platform's API, whatever city it is in.
_REAL_PLATFORM: Final = ("weixin.qq.com", "wechat.com")


class RealPlatform(Conflict):
    """Invented people would be written to over the real WeChat."""

    code = "real_platform"
    default_message = (
        "配置里的 {key} 指向真的微信平台，不能填演示数据。请把它改成模拟平台的地址（比如 http://127.0.0.1:9000）再试。"
    )


def demo_data(
    config: ConfigOption = None,
    families: Annotated[int, typer.Option(min=1, max=MOST_FAMILIES, help="多少个家庭，每家一位已绑定的监护人。")] = 300,
    seed: Annotated[int, typer.Option(help="随机种子：同样的种子和日期，编出同样的乡镇。")] = 1,
    today: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="以哪一天为“今天”；不写就是现在。")
    ] = None,
) -> None:
    """把编出来的乡镇填进配置的数据库；已经有人员资料的数据库不填。"""
    settings = read_settings(config)
    refuse_real_platform(settings)
    configure_logs("WARNING")
    plan = asyncio.run(_fill(settings, families, seed, today))
    for line in report(plan):
        typer.echo(line)


def refuse_real_platform(settings: Settings) -> None:
    """Raises RealPlatform when one of the accounts in use talks to the real WeChat."""
    addresses = {"[wechat] api_base": settings.wechat.api_base}
    if settings.miniprogram.app_id:
        addresses["[miniprogram] api_base"] = settings.miniprogram.api_base
    for key, address in addresses.items():
        host = urlsplit(address).hostname or ""
        if any(host == real or host.endswith(f".{real}") for real in _REAL_PLATFORM):
            raise RealPlatform(RealPlatform.default_message.format(key=key))


def report(plan: TownshipPlan) -> list[str]:
    """What was written, and how to come in."""
    guardians = sum(person.key.startswith("g/") and bool(person.openid) for person in plan.persons)
    return [
        f"已填好{plan.name}：{len(plan.schools)} 所学校，{len(plan.classes)} 个班，{len(plan.pupils)} 个孩子，"
        f"{len(plan.persons)} 个大人。",
        f"监护人的微信号：demo_g_000001 到 demo_g_{guardians:06d}（小程序前面加 mp_，登录码 code-mp_demo_g_000001）。",
        "教师 demo_t_0001、班主任 demo_h_0001、管理员 demo_a_0001。",
        "要从网页进后台，请运行 xiangxiao admin create 设置登录名和密码。",
    ]


async def _fill(settings: Settings, families: int, seed: int, today: datetime | None) -> TownshipPlan:
    from bot.demo_township.fill import fill
    from bot.storage.database import open_database

    day = today.date() if today else local_date(SystemClock().now())
    async with open_database(settings) as database:
        await database.check()
        plan = plan_township(day, families=families, seed=seed)
        progress = Progress("填演示数据")
        try:
            await fill(plan, settings, progress)
        finally:
            progress.close()
    return plan
