"""One persona's chat: what is on the screen, in what way each line got there, and which traffic stands behind it."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from bot.emulator.follower import Exchange, Follower
from bot.emulator.judging import Outcome
from bot.emulator.phone import texts
from bot.emulator.phone.errors import NotNow
from bot.emulator.platform import Account, CallRecord, Platform
from bot.emulator.screen import Card, Means, Option, Shown, Side
from bot.emulator.subscribing import MiniProgramUser

SCHOOL_GATE: Final = (33.96, 118.27)
GATE_SCENE: Final = "school_gate"


class Channel(StrEnum):
    """How a line got on the screen. A hint is no line of WeChat's: it tells of something that leaves no trace there."""

    SENT = "sent"
    REPLY = "reply"
    SERVICE = "service"
    TEMPLATE = "template"
    SUBSCRIPTION = "subscription"
    MASS = "mass"
    NOTICE = "notice"
    HINT = "hint"


class Kind(StrEnum):
    """What a visitor can do."""

    SAY = "say"
    OPTION = "option"
    TAP = "tap"
    IMAGE = "image"
    VOICE = "voice"
    LOCATION = "location"
    SCAN = "scan"
    FOLLOW = "follow"
    UNFOLLOW = "unfollow"


@dataclass(frozen=True, slots=True)
class Act:
    """`value`: the text said, the id of the option, the key of the button; else nothing."""

    kind: Kind
    value: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of the chat. `exchange` numbers the push and its answer, `call` the API call that brought it, from 0;
    `card` is what was made from a template."""

    number: int
    at: datetime
    channel: Channel
    text: str
    options: tuple[Option, ...] = ()
    exchange: int | None = None
    call: int | None = None
    card: Card | None = None

    @property
    def has_traffic(self) -> bool:
        """Whether anything crossed the wire for it."""
        return self.exchange is not None or self.call is not None


_ACTS: Final[Mapping[Kind, Callable[[Follower, str], Awaitable[object]]]] = {
    Kind.SAY: lambda follower, text: follower.says(text),
    Kind.OPTION: lambda follower, option_id: follower.chooses(option_id),
    Kind.TAP: lambda follower, key: follower.taps(key),
    Kind.IMAGE: lambda follower, _: follower.sends_image(),
    Kind.VOICE: lambda follower, _: follower.sends_voice(),
    Kind.LOCATION: lambda follower, _: follower.sends_location(*SCHOOL_GATE, texts.POSITION),
    Kind.SCAN: lambda follower, _: follower.scans(GATE_SCENE),
    Kind.FOLLOW: lambda follower, _: follower.follows(),
    Kind.UNFOLLOW: lambda follower, _: follower.unfollows(),
}
_MESSAGES: Final = frozenset({Kind.SAY, Kind.OPTION, Kind.IMAGE, Kind.VOICE, Kind.LOCATION})
_CHANNELS: Final = {Side.USER: Channel.SENT, Side.ACCOUNT: Channel.REPLY, Side.NOTICE: Channel.NOTICE}
_CHANNELS_OF_PUSHES: Final = {means: Channel(means.value) for means in Means}


class Chat:
    """The chat of one follower with the account, and the 服务通知 of the mini-program beside it."""

    def __init__(
        self, platform: Platform, account: Account, follower: Follower, mini: MiniProgramUser | None = None
    ) -> None:
        """`mini`: the same person at the account's mini-program; None where there is none."""
        self.follower = follower
        self.mini = mini
        self._platform = platform
        self._account = account
        self._lines: list[Line] = []
        self._taken = 0
        self._taken_of_mini = 0
        self._exchange_of: dict[int, int] = {}
        self._under_way: set[int] = set()

    @property
    def lines(self) -> list[Line]:
        """All lines, oldest first. Numbers never change and begin at 0."""
        self._collect()
        return self._lines

    @property
    def menu(self) -> Mapping[str, Any] | None:
        """The account's menu as this phone has it."""
        person = self._account.person(self.follower.openid)
        return self._account.menu_on_phone(person)

    @property
    def tries(self) -> int:
        """How often the platform has delivered what is still without an answer; 0 when nothing is under way."""
        begun = self.follower.exchanges
        return max((len(begun[number].deliveries) + 1 for number in self._under_way if number < len(begun)), default=0)

    @property
    def waiting(self) -> int:
        """How many acts are under way."""
        return len(self._under_way)

    def check(self, act: Act) -> None:
        """Raises NotNow when the phone offers no such thing at present."""
        if act.kind is Kind.SCAN:
            return
        if act.kind is Kind.FOLLOW:
            if self.follower.is_following:
                raise NotNow(texts.FOLLOWS_ALREADY)
            return
        if not self.follower.is_following:
            raise NotNow(texts.NOT_FOLLOWING)
        if act.kind is Kind.TAP and _button(self.menu, act.value) is None:
            raise NotNow(texts.NO_SUCH_BUTTON)
        if act.kind is Kind.OPTION and act.value not in {option.id for line in self.lines for option in line.options}:
            raise NotNow(texts.NO_SUCH_BUTTON)

    async def perform(self, act: Act) -> None:
        """Does it and waits for the platform to be done with it. Raises NotNow."""
        self.check(act)
        self._remark(act)
        follower = self.follower
        exchange = len(follower.exchanges)
        # A follower shows the message and begins its exchange before it first waits, so both numbers are this act's,
        # whatever else this phone is waiting for.
        if act.kind in _MESSAGES:
            self._exchange_of[len(follower.screen)] = exchange
        self._under_way.add(exchange)
        try:
            await _ACTS[act.kind](follower, act.value)
        finally:
            self._under_way.discard(exchange)
        self._settle(act, exchange)

    def exchange(self, line: Line) -> Exchange | None:
        """The push and its answer behind a line; None when there was none."""
        return None if line.exchange is None else self.follower.exchanges[line.exchange]

    def call(self, line: Line) -> CallRecord | None:
        """The API call that brought a line; None when there was none."""
        return None if line.call is None else self._platform.calls[line.call]

    def _settle(self, act: Act, exchange: int) -> None:
        # Nothing has run since the follower showed the outcome, so the last item on the screen is this act's.
        outcome = self.follower.exchanges[exchange].verdict.outcome
        if outcome is not Outcome.NOTHING:
            self._exchange_of[len(self.follower.screen) - 1] = exchange
            return
        button = _button(self.menu, act.value) if act.kind is Kind.TAP else None
        address = (button or {}).get("url") or (button or {}).get("pagepath")
        if address:
            self._add(Channel.HINT, texts.OPENS.format(address=address), exchange=exchange)
        elif act.kind is not Kind.UNFOLLOW:
            self._add(Channel.HINT, texts.NO_ANSWER, exchange=exchange)

    def _remark(self, act: Act) -> None:
        """Tells of an act that leaves no line on a real screen."""
        if act.kind is Kind.TAP:
            name = (_button(self.menu, act.value) or {}).get("name", "")
            self._add(Channel.HINT, texts.TAPPED.format(name=name))
        elif act.kind is Kind.SCAN:
            self._add(Channel.HINT, texts.SCANNED if self.follower.is_following else texts.SCANNED_TO_FOLLOW)
        elif act.kind is Kind.FOLLOW:
            self._add(Channel.HINT, texts.FOLLOWED)
        elif act.kind is Kind.UNFOLLOW:
            self._add(Channel.HINT, texts.UNFOLLOWED)

    def _collect(self) -> None:
        new = [*self._new_in_chat(), *self._new_of_mini()]
        for item, channel, exchange in sorted(new, key=lambda each: each[0].at):
            self._append(item, channel, exchange)

    def _new_in_chat(self) -> Iterator[tuple[Shown, Channel, int | None]]:
        screen = self.follower.screen
        while self._taken < len(screen):
            item, exchange = screen[self._taken], self._exchange_of.get(self._taken)
            self._taken += 1
            if item.means is None:
                yield item, _CHANNELS[item.side], exchange
            else:
                yield item, _CHANNELS_OF_PUSHES[item.means], None

    def _new_of_mini(self) -> Iterator[tuple[Shown, Channel, int | None]]:
        notices = self.mini.screen if self.mini else ()
        while self._taken_of_mini < len(notices):
            yield notices[self._taken_of_mini], Channel.SUBSCRIPTION, None
            self._taken_of_mini += 1

    def _add(self, channel: Channel, text: str, *, exchange: int | None = None) -> None:
        self._collect()
        self._append(Shown(self._platform.clock.now(), Side.NOTICE, text), channel, exchange)

    def _append(self, item: Shown, channel: Channel, exchange: int | None = None) -> None:
        line = Line(
            number=len(self._lines),
            at=item.at,
            channel=channel,
            text=item.text,
            options=item.options,
            exchange=exchange,
            call=item.call,
            card=item.card,
        )
        self._lines.append(line)


def _button(menu: Mapping[str, Any] | None, key: str) -> Mapping[str, Any] | None:
    for button in (menu or {}).get("button", ()):
        if key and key in {button.get("key"), button.get("url"), button.get("pagepath")}:
            return dict(button)
        inside = _button({"button": button.get("sub_button") or ()}, key)
        if inside is not None:
            return inside
    return None
