"""Which function answers a message: routes in tiers, narrow before wide, the first that matches."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import lru_cache
from typing import Any, TypeAlias

from bot.dialogue.context import ChatContext
from bot.identity import Role
from bot.rights import Action, roles_for
from bot.wechat.messages import Event, Inbound, Reply, TextMessage

# The message is of the type the route names; Any, because one list holds the routes of all types.
Filter: TypeAlias = Callable[[ChatContext, Any], bool]
Handler: TypeAlias = Callable[[ChatContext, Any], Awaitable[Reply]]
Fallback: TypeAlias = Callable[[ChatContext, Any], Reply]
Prepare: TypeAlias = Callable[[ChatContext, Any], Awaitable[object]]

_MAX_COMMAND = 40
_AROUND = " \t\r\n\u3000。．.！!？?，,、～~“”\"'「」【】[]（）()"
_WIDTHS = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}


class Tier(IntEnum):
    """The order in which routes are tried."""

    CRISIS = 0
    """A child in danger: in every step, whatever the limits; the dialogue is kept."""
    GLOBAL = 1
    """Words that work everywhere."""
    STEP = 2
    """The dialogue the person is in."""
    MENU = 3
    """Menu keys and events."""
    KEYWORD = 4
    LAST = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One entry point of the chat.

    `action` is the row of the table of rights that says who may use it, apart from whether it matches.
    `changes`: it changes something, so each message takes effect once; without it the handler only answers and may
    run again. `protected`: it reads what is about people, so the sender must be certain. `fallback` answers when the
    effect cannot be had now (only for what must be answered whatever happens); `must_happen`: the effect is tried
    again later until it happens. `prepare`: what takes long, before the effect and outside its transaction and
    lock; what it gives is the handler's as `context.prepared`. It may run again, and changes nothing.
    """

    name: str
    tier: Tier
    of: type[Inbound]
    when: Filter
    handle: Handler
    action: Action
    changes: bool
    protected: bool = False
    fallback: Fallback | None = None
    must_happen: bool = False
    prepare: Prepare | None = None
    roles: frozenset[Role] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "roles", roles_for(self.action))

    @property
    def needs_certain_sender(self) -> bool:
        """Whether it may only run for a message whose sender cannot be forged."""
        return self.changes or self.protected


@dataclass(frozen=True, slots=True)
class Narrow:
    """A filter that fits some words, one dialogue or some roles only, and says so: then most routes need not be
    tried."""

    fits: Filter
    words: frozenset[str] | None = None
    dialogue: str | None = None
    roles: frozenset[Role] | None = None

    def __call__(self, context: ChatContext, message: Any) -> bool:
        """Whether it fits."""
        return self.fits(context, message)


class _Candidates:
    """The routes that could fit a message of one type, found by its word, by the dialogue the person is in and by what
    they are."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._routes = routes
        always_tried: list[int] = []
        self._of_word: defaultdict[str, list[int]] = defaultdict(list)
        self._of_dialogue: defaultdict[str, list[int]] = defaultdict(list)
        for number, route in enumerate(routes):
            when = route.when
            if isinstance(when, Narrow) and when.dialogue is not None:
                self._of_dialogue[when.dialogue].append(number)
            elif isinstance(when, Narrow) and when.words is not None:
                for word in when.words:
                    self._of_word[word].append(number)
            else:
                always_tried.append(number)
        self._always = always_tried
        # As many as there are combinations of roles; few.
        self._always_for: dict[frozenset[Role], tuple[Route, ...]] = {}

    def of(self, word: str, dialogue: str, roles: frozenset[Role]) -> Iterable[Route]:
        """In the order in which they are tried."""
        by_word, by_dialogue = self._of_word.get(word, ()), self._of_dialogue.get(dialogue, ())
        if by_word or by_dialogue:
            return (self._routes[number] for number in sorted({*self._always, *by_word, *by_dialogue}))
        found = self._always_for.get(roles)
        if found is None:
            tried = (self._routes[number] for number in self._always)
            found = self._always_for[roles] = tuple(route for route in tried if _is_for(route.when, roles))
        return found


def _is_for(when: Filter, roles: frozenset[Role]) -> bool:
    return not isinstance(when, Narrow) or when.roles is None or not when.roles.isdisjoint(roles)


class Router:
    """All routes of the application, in the order in which they are tried."""

    def __init__(self, routes: Iterable[Route]) -> None:
        """Inside a tier the given order counts. Raises ValueError for two routes of one name."""
        self.routes = tuple(sorted(routes, key=lambda route: route.tier))
        names = [route.name for route in self.routes]
        if len(names) != len(set(names)):
            raise ValueError(f"two routes of one name: {sorted(names)}")
        self._by_type: dict[type[Inbound], _Candidates] = {}

    def match(self, context: ChatContext, message: Inbound) -> Route | None:
        """The first route that fits, None when nothing does."""
        kind = type(message)
        candidates = self._by_type.get(kind)
        if candidates is None:
            candidates = self._by_type[kind] = _Candidates(self.for_type(kind))
        for route in candidates.of(context.word, context.session.dialogue, context.actor.roles):
            if route.when(context, message):
                return route
        return None

    def for_type(self, kind: type[Inbound]) -> tuple[Route, ...]:
        """The routes that could fit a message of a type."""
        return tuple(route for route in self.routes if issubclass(kind, route.of))


# ------------------------------------------------------------------------------------------------------------- filters
def command_form(text: str) -> str:
    """A short text as commands are compared: widths unified, without marks and spaces around; "" for a long one."""
    if len(text) > _MAX_COMMAND:
        return ""
    return text.translate(_WIDTHS).strip(_AROUND).lower()


def always(context: ChatContext, message: Inbound) -> bool:
    """Fits every message of the route's type."""
    return True


def idle(context: ChatContext, message: Inbound) -> bool:
    """The person is in no dialogue."""
    return context.session.is_idle


def in_dialogue(context: ChatContext, message: Inbound) -> bool:
    """The person is in some dialogue."""
    return not context.session.is_idle


def words(*wanted: str) -> Filter:
    """The message is exactly one of the words."""
    known = frozenset(wanted)

    def fits(context: ChatContext, message: TextMessage) -> bool:
        return context.word in known

    return Narrow(fits, words=known)


# Every pattern is tried on the same text: it is brought to its form once. Few are kept, and not for long.
@lru_cache(maxsize=16)
def _bare(text: str) -> str:
    return text.translate(_WIDTHS).strip(_AROUND)


def pattern(expression: str) -> Filter:
    """The whole text fits the expression; marks and spaces around it do not count."""
    compiled = re.compile(expression, re.S)

    def fits(context: ChatContext, message: TextMessage) -> bool:
        return compiled.fullmatch(_bare(message.content)) is not None

    return fits


def alarm(*kinds: str) -> Filter:
    """The guard recognised one of the kinds in the text."""
    wanted = frozenset(kinds)

    def fits(context: ChatContext, message: TextMessage) -> bool:
        return context.alarm is not None and context.alarm in wanted

    return fits


def in_step(dialogue: str, step: str) -> Filter:
    """The person is at this step."""

    def fits(context: ChatContext, message: Inbound) -> bool:
        return context.session.dialogue == dialogue and context.session.step == step

    return Narrow(fits, dialogue=dialogue)


def event(*names: str) -> Filter:
    """The event has one of the names."""
    wanted = frozenset(names)

    def fits(context: ChatContext, message: Event) -> bool:
        return message.name in wanted

    return fits


def menu_key(*keys: str) -> Filter:
    """A menu button with one of the keys was tapped."""
    wanted = frozenset(keys)

    def fits(context: ChatContext, message: Event) -> bool:
        return message.name == "click" and message.key in wanted

    return fits


def either(*filters: Filter) -> Filter:
    """One of two or more filters fits."""
    first, *others = filters
    second = either(*others) if len(others) > 1 else others[0]
    return lambda context, message: first(context, message) or second(context, message)


def both(*filters: Filter) -> Filter:
    """All of two or more filters fit."""
    first, *others = filters
    second = both(*others) if len(others) > 1 else others[0]

    def fits(context: ChatContext, message: Any) -> bool:
        return first(context, message) and second(context, message)

    narrow = [part for part in (first, second) if isinstance(part, Narrow)]
    if not narrow:
        return fits
    # What either of them is narrowed to holds for both together.
    return Narrow(
        fits,
        words=next((part.words for part in narrow if part.words is not None), None),
        dialogue=next((part.dialogue for part in narrow if part.dialogue is not None), None),
        roles=next((part.roles for part in narrow if part.roles is not None), None),
    )


def has_role(*roles: Role) -> Filter:
    """The sender plays one of the roles: for words that mean something to them only."""
    wanted = frozenset(roles)

    def fits(context: ChatContext, message: Inbound) -> bool:
        return not wanted.isdisjoint(context.actor.roles)

    return Narrow(fits, roles=wanted)
