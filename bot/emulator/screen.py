"""What a follower's phone shows in the chat with the account, oldest first."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import overload


class Side(StrEnum):
    """Who speaks on the screen."""

    USER = "user"
    ACCOUNT = "account"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True)
class Option:
    """A line of a menu message that can be tapped."""

    id: str
    content: str


class Means(StrEnum):
    """By which API a message came that answers nothing."""

    SERVICE = "service"
    TEMPLATE = "template"
    SUBSCRIPTION = "subscription"
    MASS = "mass"


@dataclass(frozen=True, slots=True)
class Card:
    """A message made from a template. `rows`: labels and what stands beside them; a tap leads to `url`, or to `page` of
    a mini-program, or nowhere."""

    title: str
    rows: tuple[tuple[str, str], ...]
    url: str = ""
    page: str = ""

    @property
    def text(self) -> str:
        """All of it in lines."""
        return "\n".join((self.title, *(f"{label}：{value}" for label, value in self.rows)))


@dataclass(frozen=True, slots=True)
class Shown:
    """One item. `means` is None for what the person wrote, and for answers; `call` numbers the API call behind a push
    among all calls, from 0."""

    at: datetime
    side: Side
    text: str
    options: tuple[Option, ...] = ()
    means: Means | None = None
    card: Card | None = None
    call: int | None = None

    @property
    def is_push(self) -> bool:
        """Whether the account sent it on its own initiative."""
        return self.means is not None


class Screen(Sequence[Shown]):
    """The items of one chat; whoever displays it can wait for the next."""

    def __init__(self) -> None:
        self._items: list[Shown] = []
        self._changed = asyncio.Event()

    def show(self, item: Shown) -> None:
        """Adds an item at the bottom."""
        self._items.append(item)
        self._changed.set()
        self._changed = asyncio.Event()

    async def wait_beyond(self, count: int, timeout_s: float) -> bool:
        """True as soon as there are more than `count` items, False when `timeout_s` seconds went by without."""
        try:
            async with asyncio.timeout(timeout_s):
                while len(self._items) <= count:
                    await self._changed.wait()
        except TimeoutError:
            return False
        return True

    @overload
    def __getitem__(self, index: int) -> Shown: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Shown]: ...
    def __getitem__(self, index: int | slice) -> Shown | Sequence[Shown]:
        return self._items[index]

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Shown]:
        return iter(self._items)
