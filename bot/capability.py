"""What a capability brings, and what it is given: the joint between `handlers` and the machinery."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, fields, replace
from datetime import date
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from bot.audit.log import Audit
from bot.clock import Clock
from bot.config import Settings
from bot.delivery.outbox import Outbox
from bot.delivery.parts import Delivery, delivery_of
from bot.delivery.pushes import AddressBook, PushSource, UnreachableListener
from bot.delivery.reminding import ReminderReason
from bot.delivery.worker import DeliveryCheck
from bot.dialogue.ports import Preface, ProfileSource
from bot.dialogue.router import Route
from bot.identity import Actor, IdentityProvider, Role
from bot.library import Library
from bot.metrics import Metrics
from bot.scheduler.jobs import Job
from bot.storage.erasures import Replay
from bot.storage.files import FileStore
from bot.storage.redis import RedisStore
from bot.web.admin import AdminRoute
from bot.web.api import ApiRoute, Authenticate
from bot.web.public import PublicRoute
from bot.wechat.client import WeChatClient
from bot.wechat.miniprogram import MiniProgramClient
from bot.wechat.sent import SentFiles

if TYPE_CHECKING:
    from knowledge.base import KnowledgeBase


_VISITOR = frozenset({Role.VISITOR})


class Eraser(Protocol):
    """Takes a person out of one place where something about them is kept."""

    async def erase(self, openid_index: str) -> None:
        """In the caller's transaction. What the school holds by duty stays, without the WeChat identity."""
        ...


class Erasure:
    """All places where something about a person is kept, for the day they leave."""

    def __init__(self) -> None:
        self._erasers: list[Eraser] = []

    def add(self, *erasers: Eraser) -> None:
        """Further places."""
        self._erasers.extend(erasers)

    async def erase(self, openid_index: str) -> None:
        """Everywhere, in the caller's transaction."""
        for eraser in self._erasers:
            await eraser.erase(openid_index)


class TodoSource(Protocol):
    """What waits for somebody, for the first page they see."""

    async def todos_of(self, actor: Actor) -> Sequence[Todo]:
        """Only what the actor may see; empty when nothing waits."""
        ...


@dataclass(frozen=True, slots=True)
class Todo:
    """A matter that waits: how many there are, in words, and the page where they are dealt with."""

    title: str
    count: int
    path: str
    is_urgent: bool = False


class DutySource(Protocol):
    """Open duties of the head teacher of a class, which pass to the next one."""

    async def open_duties(self, class_id: str) -> Mapping[str, int]:
        """How many are open, by kind in words."""
        ...

    async def pass_duties(self, class_id: str, to_person_id: str) -> None:
        """They are the other person's from now on, in the caller's transaction."""
        ...


class ChildRecords(Protocol):
    """A place where something about a child is kept: for the download, the erasure and the term of retention."""

    async def child_data(self, child_id: str, person_id: str) -> Mapping[str, Any]:
        """What the guardian may have of it, by heading in words: never the protection layer, never other people's
        data. {} for nothing."""
        ...

    async def erase_child(self, child_id: str, *, keep_duty: bool) -> None:
        """Takes the child out, in the caller's transaction. With `keep_duty` only what rests on consent goes."""
        ...


@dataclass(frozen=True, slots=True)
class DueForRetention:
    """Something whose term is over. `subject` is `kind:id`; `what` says in words what will be done."""

    subject: str
    what: str
    due_on: date


class Dependents(Protocol):
    """A place where something about people is kept that stands in the way of unmaking them: what a roster brought in
    can be taken back only while nothing rests on it."""

    async def dependents(self, child_ids: Collection[str], person_ids: Collection[str]) -> Mapping[str, int]:
        """How much there is about any of them, by kind (`consents`); empty when there is nothing."""
        ...


class RetentionSource(Protocol):
    """A place where something is kept for a term only."""

    async def due(self, today: date) -> Sequence[DueForRetention]:
        """What is due, without changing anything."""
        ...

    async def dispose(self, due: DueForRetention) -> None:
        """Seals or erases it, in the caller's transaction; doing it twice equals doing it once."""
        ...


@dataclass(frozen=True, slots=True)
class AudienceChoice:
    """Children a message can be for, by something known of them: `key` is the source's own, `title` its words."""

    key: str
    title: str


class AudienceSource(Protocol):
    """Knows children by more than their class: who is signed up for something, who is absent today."""

    @property
    def name(self) -> str:
        """Names the source for ever: at most 32 characters."""
        ...

    async def choices(self, actor: Actor) -> Sequence[AudienceChoice]:
        """What the actor may choose from; empty when nothing is theirs."""
        ...

    async def child_ids(self, key: str, day: date) -> Collection[str]:
        """The children of a choice on a day, whosever they are: whoever asks keeps to those within reach."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftedNotice:
    """Words for the families of children that an audience source knows, within a school or (None) the township."""

    title: str
    text: str
    township_id: str
    school_id: str | None
    source: str
    choice: str


class NoticeDrafts(Protocol):
    """Takes on a notice that another capability has begun."""

    async def begin(self, actor: Actor, drafted: DraftedNotice) -> str:
        """A draft, which its author looks at and sends; gives the path of its page, after /admin. Raises NotPermitted,
        NotFound for a place out of reach."""
        ...


@dataclass(frozen=True, slots=True)
class OwnMatter:
    """What somebody asks of their own affairs. `kind` is the source's own word; `who`: the name it is asked of, "" for
    whoever is theirs. `rule`: the question whose answer is the rule that goes with it, None where the answer to the
    question itself is."""

    kind: str
    who: str = ""
    rule: str | None = None


class AnswerFacts(Protocol):
    """Knows of people's own affairs what belongs before a rule of the knowledge. What it gives is for the asker alone:
    it is kept nowhere."""

    def asked(self, question: str) -> Sequence[OwnMatter]:
        """By the words of a question, whoever asks, in the order asked; none for one about no own affair. All of them
        have one rule and name one person. Quick, without I/O."""
        ...

    def touched(self, question: str, topics: Collection[str], attributes: Collection[str]) -> Sequence[OwnMatter]:
        """By what the entry is about that answers a question: of an entry about many things only what the question
        has words for. Quick, without I/O."""
        ...

    async def facts(self, actor: Actor, matter: OwnMatter) -> Sequence[str]:
        """Sentences about the actor's own children; empty for a stranger, and for children of others."""
        ...


Service = TypeVar("Service")


class Services:
    """The services of the capabilities built so far, for those of higher layers."""

    def __init__(self) -> None:
        self._by_kind: dict[type[object], object] = {}

    def add(self, *services: object) -> None:
        """Each is found by its class."""
        self._by_kind.update({type(service): service for service in services})

    def get(self, kind: type[Service]) -> Service:
        """The service of a class. Raises LookupError when its capability is not in the catalogue before this one."""
        service = self._by_kind[kind]
        assert isinstance(service, kind)
        return service


@dataclass(frozen=True, slots=True, kw_only=True)
class Machinery:
    """What services are built from. `library` may not hold knowledge yet when they are built; `redis`, `wechat` and
    `miniprogram` give what is there once the application runs. `parts` is filled while the
    capabilities are built: what all bring of a kind is known once the application runs."""

    settings: Settings
    clock: Clock
    metrics: Metrics
    library: Library[KnowledgeBase]
    outbox: Outbox
    erasure: Erasure
    audit: Audit
    services: Services
    redis: Callable[[], RedisStore]
    wechat: Callable[[], WeChatClient]
    miniprogram: Callable[[], MiniProgramClient]
    parts: list[EntryPoints] = field(default_factory=list)
    delivery: Delivery = field(init=False)
    files: FileStore = field(init=False)
    sent: SentFiles = field(init=False)

    def __post_init__(self) -> None:
        delivery = delivery_of(self.settings, self.clock, lambda: self.redis(), self.address_book)
        object.__setattr__(self, "delivery", delivery)
        object.__setattr__(self, "files", FileStore(self.clock))
        object.__setattr__(self, "sent", SentFiles(self.files, self.wechat))

    def address_book(self) -> AddressBook | None:
        """Where people are reached, once the capability that knows it is built."""
        return next((part.address_book for part in self.parts if part.address_book is not None), None)


@dataclass(frozen=True, slots=True)
class MenuItem:
    """A button of the 服务号's menu: under which of the three, its words, and the key of a tap."""

    under: str
    name: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryPoints:
    """What a built capability answers to. `checks` by the reason of a letter to be sent; `pushes` by the name of the
    source; `replay` erases again what was erased after a backup was made, at all capabilities; `article_of` tells which
    entry of the knowledge a note of the chat is about (None: about none)."""

    routes: Sequence[Route] = ()
    api: Sequence[ApiRoute] = ()
    jobs: Sequence[Job] = ()
    prefaces: Sequence[Preface] = ()
    profiles: Sequence[ProfileSource] = ()
    erasers: Sequence[Eraser] = ()
    checks: Mapping[str, DeliveryCheck] = field(default_factory=dict)
    identity: IdentityProvider | None = None
    background: Sequence[AbstractAsyncContextManager[object]] = ()
    admin: Sequence[AdminRoute] = ()
    public: Sequence[PublicRoute] = ()
    todos: Sequence[TodoSource] = ()
    duties: Sequence[DutySource] = ()
    child_records: Sequence[ChildRecords] = ()
    retention: Sequence[RetentionSource] = ()
    dependents: Sequence[Dependents] = ()
    authenticate: Authenticate | None = None
    console_authenticate: Authenticate | None = None
    replay: Replay | None = None
    pushes: Mapping[str, PushSource] = field(default_factory=dict)
    unreachable: Sequence[UnreachableListener] = ()
    address_book: AddressBook | None = None
    reminder_reasons: Sequence[ReminderReason] = ()
    article_of: Callable[[str | None], str | None] | None = None
    audiences: Sequence[AudienceSource] = ()
    notice_drafts: NoticeDrafts | None = None
    answer_facts: Sequence[AnswerFacts] = ()


def merged(parts: Sequence[EntryPoints]) -> EntryPoints:
    """What several parts answer to, as one: lists one after the other, what is found by a name together."""
    found: dict[str, list[object] | dict[str, object]] = {}
    for part in parts:
        for each in fields(EntryPoints):
            value = getattr(part, each.name)
            if isinstance(value, dict):
                known = found.setdefault(each.name, {})
                assert isinstance(known, dict)
                assert not known.keys() & value.keys()
                known.update(value)
            elif isinstance(value, tuple) and value:
                listed = found.setdefault(each.name, [])
                assert isinstance(listed, list)
                listed.extend(value)
    return EntryPoints(**found)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True, kw_only=True)
class Capability:
    """One thing the system does. `build` is called once for each application, when its machinery stands."""

    name: str
    build: Callable[[Machinery], EntryPoints]
    menu: Sequence[MenuItem] = ()


class CombinedIdentity:
    """An IdentityProvider over several: a person plays all the roles any of them knows."""

    def __init__(self, providers: Sequence[IdentityProvider]) -> None:
        self._providers = tuple(providers)

    async def actor_of(self, openid_index: str, *, is_known: bool | None = None) -> Actor:
        """The actor; a visitor when nobody knows the id. What only the records of people tell (person, grants, hats)
        is kept."""
        actors = [await provider.actor_of(openid_index, is_known=is_known) for provider in self._providers]
        main = next((actor for actor in actors if actor.identity_id or actor.person_id), None)
        if main is None:
            main = next((actor for actor in actors if actor.roles != _VISITOR), Actor(openid_index=openid_index))
        roles = frozenset().union(*(actor.roles for actor in actors)) - _VISITOR
        if roles == main.roles or not roles:
            return main
        name = main.name or next((actor.name for actor in actors if actor.name), None)
        return replace(main, roles=roles, name=name)
