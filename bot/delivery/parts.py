"""What delivery gives the capabilities: who can be reached how, what is accepted, and when it is quiet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot.clock import Clock
from bot.config import Settings
from bot.delivery.credits import Credits
from bot.delivery.planner import ChannelPlanner, Template
from bot.delivery.pushes import AddressBook, ChannelName, Purpose, Slot
from bot.delivery.quiet import QuietHours
from bot.storage.redis import RedisStore
from bot.wechat.window import WindowLedger


@dataclass(frozen=True, slots=True)
class Delivery:
    """The parts of delivery that a capability may ask. `templates`: those of the settings."""

    planner: ChannelPlanner
    credits: Credits
    quiet: QuietHours
    templates: tuple[Template, ...]


def delivery_of(
    settings: Settings, clock: Clock, redis: Callable[[], RedisStore], book: Callable[[], AddressBook | None]
) -> Delivery:
    """The parts over the settings; `redis` and `book` are asked when they are needed."""
    credits, templates = Credits(clock), templates_of(settings)
    planner = ChannelPlanner(book, credits, lambda: WindowLedger(redis()), templates, clock)
    return Delivery(planner, credits, QuietHours(settings.quiet_hours), templates)


def templates_of(settings: Settings) -> tuple[Template, ...]:
    """The templates of `[[wechat.templates]]`."""
    return tuple(
        Template(
            Purpose(each.purpose),
            ChannelName(each.kind),
            each.id,
            {Slot(slot): key for slot, key in each.slots.items()},
        )
        for each in settings.wechat.templates
    )
