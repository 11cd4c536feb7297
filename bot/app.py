"""The composition root: builds the application from settings. The only module of `bot` that imports `handlers`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import web

import handlers
from bot.audit.log import Audit
from bot.audit.sealer import sealing_ctx
from bot.capability import Capability, Erasure, Machinery, Services
from bot.chat import Assembly
from bot.clock import Clock, SystemClock
from bot.config import Settings
from bot.config_values import SHIPPED_CONTENT, decode_key
from bot.delivery.channels import CustomerServiceChannel
from bot.delivery.limiter import Limiter
from bot.delivery.outbox import CUSTOMER_SERVICE, Outbox
from bot.delivery.preparation import Preparation, Rules
from bot.delivery.pulse import Pulse
from bot.delivery.push_worker import PushLimits, PushWorker
from bot.delivery.pushes import ChannelName
from bot.delivery.senders import Pages, Sender, senders_of
from bot.delivery.worker import DeliveryWorker
from bot.dialogue.dispatcher import Dispatcher
from bot.library import Library
from bot.metrics import Metrics
from bot.scheduler.runner import scheduler_ctx
from bot.storage.database import DATABASE, database_ctx
from bot.storage.erasures import ErasureNote, Replay
from bot.storage.redis import REDIS, RedisStore, redis_ctx
from bot.web import api
from bot.web.admin_edge import Console, add_console
from bot.web.admin_pages import pages_of
from bot.web.admin_seals import Seals
from bot.web.callback import CallbackLimits, WeChatCallback
from bot.web.health import READINESS, Readiness, health_routes
from bot.web.limits import Addresses, FailureLimit, PersonLimit
from bot.web.middlewares import BODY_LIMIT, edge
from bot.web.public import PublicPages
from bot.wechat.client import Account, WeChatClient
from bot.wechat.crypto import CallbackCrypto, CallbackKeys
from bot.wechat.messages import Inbound, Reply
from bot.wechat.miniprogram import MiniProgramApi, MiniProgramClient, NoMiniProgram
from bot.wechat.token_store import RedisTokenStore
from bot.wechat.transport import HttpTransport, Transport, open_transport
from bot.wechat.window import WindowLedger
from handlers.catalogue import CAPABILITIES
from handlers.support.capability import menu_of

if TYPE_CHECKING:
    from knowledge.base import KnowledgeBase

SETTINGS = web.AppKey("settings", Settings)
CLOCK = web.AppKey("clock", Clock)
METRICS = web.AppKey("metrics", Metrics)
TRANSPORT = web.AppKey("transport", HttpTransport)
WECHAT = web.AppKey("wechat", WeChatClient)
MINI_PROGRAM = web.AppKey("mini_program", MiniProgramClient)
AUDIT = web.AppKey("audit", Audit)
LIBRARY: web.AppKey[Library[KnowledgeBase]] = web.AppKey("library", Library)
ASSEMBLY = web.AppKey("assembly", Assembly)
CALLBACK = web.AppKey("callback", WeChatCallback)
DISPATCHER = web.AppKey("dispatcher", Dispatcher)
WORKER = web.AppKey("worker", DeliveryWorker)
PUSH_WORKER = web.AppKey("push_worker", PushWorker)

# As many calls to WeChat at once as the worker may make; the default of 100 halves its speed.

Context = Callable[[web.Application], AsyncIterator[None]]


def build_app(
    settings: Settings,
    *,
    clock: Clock | None = None,
    wechat_url: str | None = None,
    worker: bool = True,
    knowledge: Callable[[], KnowledgeBase] | None = None,
    capabilities: Sequence[Capability] | None = None,
) -> web.Application:
    """The application, not started. Parts come up in the order of the contexts below and go down in reverse.

    `wechat_url` takes the place of `[wechat] api_base`, for an emulator beside it; without `worker` nothing is sent of
    what is to be sent later; `knowledge` takes the place of the configured content, for one that is loaded already, and
    `capabilities` that of the catalogue. Nothing connects, and no task exists, before the application is started.
    """
    metrics = Metrics()
    clock = clock or SystemClock()
    audit = Audit(clock)
    app = web.Application(middlewares=[edge(metrics, audit)], client_max_size=BODY_LIMIT)
    app[SETTINGS] = settings
    app[CLOCK] = clock
    app[METRICS] = metrics
    app[READINESS] = Readiness()
    app[AUDIT] = audit
    app[LIBRARY] = Library(knowledge or partial(load_knowledge, settings))
    app[ASSEMBLY] = assembly_of(app, CAPABILITIES if capabilities is None else capabilities)
    app[CALLBACK] = callback_of(app)
    app.add_routes(health_routes(metrics))
    app.add_routes(app[CALLBACK].routes())
    add_edges(app)
    contexts: list[Context] = [
        database_ctx(settings),
        sealing_ctx(app[CLOCK], metrics),
        redis_ctx(settings, metrics),
        transport_ctx,
        wechat_ctx(wechat_url),
        knowledge_ctx,
        capabilities_ctx,
        *([delivery_ctx] if worker else []),
        scheduler_ctx(lambda app: app[ASSEMBLY].jobs, metrics),
        chat_ctx,
        readiness_ctx,
    ]
    app.cleanup_ctx.extend(contexts)
    return app


def add_edges(app: web.Application) -> None:
    """The console and the API, which count the same failed attempts, and the pages for everybody."""
    per_minute = app[SETTINGS].limits.failed_attempts_per_minute
    failures = FailureLimit(lambda: app[REDIS], app[CLOCK], per_minute)
    add_console(app, console_of(app, failures))
    public = [route for part in app[ASSEMBLY].parts for route in part.public]
    PublicPages(public, pages_of(_templates()), app[METRICS]).add_to(app)
    app.add_subapp(api.PREFIX, api.api_application(app[ASSEMBLY].api, api_surroundings(app, failures)))


def assembly_of(app: web.Application, capabilities: Sequence[Capability]) -> Assembly:
    """The capabilities over the application's machinery."""
    clock, metrics = app[CLOCK], app[METRICS]
    machinery = Machinery(
        settings=app[SETTINGS],
        clock=clock,
        metrics=metrics,
        library=app[LIBRARY],
        outbox=Outbox(clock, metrics),
        erasure=Erasure(),
        audit=app[AUDIT],
        services=Services(),
        redis=lambda: app[REDIS],
        wechat=lambda: app[WECHAT],
        miniprogram=lambda: app[MINI_PROGRAM],
    )
    return Assembly(capabilities, machinery)


def api_surroundings(app: web.Application, failures: FailureLimit) -> api.Surroundings:
    """What the API's edge works with, over the stores that the application will have when it runs."""
    settings, clock = app[SETTINGS], app[CLOCK]
    return api.Surroundings(
        failures=failures,
        people=PersonLimit(lambda: app[REDIS], clock, settings.limits.requests_per_minute),
        answers=app[ASSEMBLY].answers,
        addresses=Addresses(settings.server.trusted_proxies),
        authenticate=next((part.authenticate for part in app[ASSEMBLY].parts if part.authenticate), None),
    )


def callback_of(app: web.Application) -> WeChatCallback:
    """The callback over the dispatcher that the application will have when it runs."""

    def dispatch(inbound: Inbound) -> Coroutine[Any, Any, Reply]:
        return app[DISPATCHER].dispatch(inbound)

    wechat = app[SETTINGS].wechat
    return WeChatCallback(
        crypto=CallbackCrypto(CallbackKeys.of(wechat), app[CLOCK]),
        dispatch=dispatch,
        late_reply=app[ASSEMBLY].send_later,
        metrics=app[METRICS],
        clock=app[CLOCK],
        limits=CallbackLimits(reply_budget_s=wechat.reply_budget_s),
    )


def console_of(app: web.Application, failures: FailureLimit) -> Console:
    """The console over the pages of all capabilities."""
    settings, parts = app[SETTINGS], app[ASSEMBLY].parts
    return Console(
        [route for part in parts for route in part.admin],
        pages_of(_templates()),
        Seals(decode_key(settings.security.session_key.get_secret_value())),
        audit=app[AUDIT],
        failures=failures,
        addresses=Addresses(settings.server.trusted_proxies),
        authenticate=next((part.console_authenticate for part in parts if part.console_authenticate), None),
        metrics=app[METRICS],
        is_secure=settings.server.public_url.startswith("https:"),
    )


def _templates() -> tuple[Path, ...]:
    return tuple(sorted(Path(handlers.__file__).parent.glob("*/templates")))


def replay_erasures(settings: Settings) -> Replay:
    """Erases again what was erased after a backup was made, at every capability. Needs an open database."""
    app = build_app(settings)

    async def replay(notes: Sequence[ErasureNote]) -> None:
        for part in app[ASSEMBLY].parts:
            if part.replay is not None:
                await part.replay(notes)

    return replay


def load_knowledge(settings: Settings) -> KnowledgeBase:
    """The knowledge of the configured folders. Slow, also to import: call it in a thread. Raises ContentFaults."""
    from knowledge.base import KnowledgeBase
    from knowledge.loader import shipped_folders
    from knowledge.snapshot import default_folder

    folders: list[Path] = []
    for name in settings.knowledge.content:
        folders += shipped_folders() if name == SHIPPED_CONTENT else [Path(name)]
    return KnowledgeBase.load(folders, snapshots=default_folder())


async def transport_ctx(app: web.Application) -> AsyncIterator[None]:
    """The connections for calls to WeChat."""
    async with open_transport() as transport:
        app[TRANSPORT] = transport
        yield


def wechat_ctx(url: str | None) -> Context:
    """The clients of the 服务号's API and of the mini-program's."""

    async def context(app: web.Application) -> AsyncIterator[None]:
        transport, store = app[TRANSPORT], app[REDIS]
        app[MINI_PROGRAM] = mini_program(
            app[SETTINGS], transport, store, clock=app[CLOCK], metrics=app[METRICS], url=url
        )
        app[WECHAT] = wechat_client(app[SETTINGS], transport, store, clock=app[CLOCK], metrics=app[METRICS], url=url)
        yield

    return context


def wechat_client(
    settings: Settings,
    transport: Transport,
    store: RedisStore,
    *,
    clock: Clock,
    metrics: Metrics,
    url: str | None = None,
) -> WeChatClient:
    """The client of the configured account; its token is shared through the store."""
    wechat = settings.wechat
    account = Account(url or wechat.api_base, wechat.app_id, wechat.app_secret)
    return WeChatClient(transport, account, RedisTokenStore(store, wechat.app_id), clock, metrics=metrics)


def mini_program(
    settings: Settings,
    transport: Transport,
    store: RedisStore,
    *,
    clock: Clock,
    metrics: Metrics,
    url: str | None = None,
) -> MiniProgramClient:
    """The client of the configured mini-program, which has a token of its own; one that refuses where there is none."""
    keys = settings.miniprogram
    if not keys.app_id:
        return NoMiniProgram()
    account = Account(url or keys.api_base, keys.app_id, keys.app_secret)
    return MiniProgramApi(transport, account, RedisTokenStore(store, keys.app_id), clock, metrics=metrics)


async def knowledge_ctx(app: web.Application) -> AsyncIterator[None]:
    """Begins to load the knowledge and does not wait for it."""
    library = app[LIBRARY]
    library.start()
    app[METRICS].knowledge_entries.set_function(lambda: library.current.size if library.version else 0)
    yield
    await app[LIBRARY].close()


def menu_of_all() -> Mapping[str, Any]:
    """The menu of the 服务号, as its API takes it."""
    return menu_of(CAPABILITIES)


async def capabilities_ctx(app: web.Application) -> AsyncIterator[None]:
    """What capabilities do in the background."""
    async with AsyncExitStack() as stack:
        for part in app[ASSEMBLY].parts:
            for background in part.background:
                await stack.enter_async_context(background)
        yield


async def delivery_ctx(app: web.Application) -> AsyncIterator[None]:
    """Sends what is to be sent later; finishes what it has begun."""
    limiter = limiter_of(app)
    app[WORKER] = worker_of(app, limiter)
    app[PUSH_WORKER] = push_worker_of(app, limiter)
    app[WORKER].start()
    app[PUSH_WORKER].start()
    pulse = Pulse(app[REDIS], (app[WORKER].activity, app[PUSH_WORKER].rounds.activity), app[CLOCK])
    pulse.start()
    yield
    await asyncio.gather(app[WORKER].stop(), app[PUSH_WORKER].stop())
    await pulse.stop()


def limiter_of(app: web.Application) -> Limiter:
    """How fast messages go out, whichever worker sends them."""
    limits, credits = app[SETTINGS].limits, app[ASSEMBLY].delivery.credits
    return Limiter(
        lambda: app[REDIS], credits, app[CLOCK], a_second=limits.pushes_per_second, a_day=limits.pushes_per_day
    )


def worker_of(app: web.Application, limiter: Limiter | None = None) -> DeliveryWorker:
    """A worker for letters, over the application's stores and its client."""
    clock = app[CLOCK]
    channel = CustomerServiceChannel(app[WECHAT], WindowLedger(app[REDIS]), clock, limiter or limiter_of(app))
    return DeliveryWorker({CUSTOMER_SERVICE: channel}, checks=app[ASSEMBLY].checks, clock=clock, metrics=app[METRICS])


def push_worker_of(
    app: web.Application, limiter: Limiter, senders: Mapping[ChannelName, Sender] | None = None
) -> PushWorker:
    """A worker for messages to people, over the application's stores and its clients; `senders` take their place."""
    settings, clock, metrics, assembly = app[SETTINGS], app[CLOCK], app[METRICS], app[ASSEMBLY]
    delivery, limiter = assembly.delivery, limiter or limiter_of(app)
    preparation = Preparation(
        assembly.pushes,
        delivery.planner,
        delivery.credits,
        limiter,
        Rules(quiet=delivery.quiet, a_family_a_day=settings.limits.pushes_per_family_per_day),
        templates=delivery.templates,
        clock=clock,
        metrics=metrics,
    )
    if senders is None:
        pages = Pages(settings.server.public_url, settings.miniprogram.push_page)
        senders = senders_of(app[WECHAT], app[MINI_PROGRAM], pages, clock, WindowLedger(app[REDIS]))
    limits = PushLimits(at_once=settings.limits.pushes_at_once).paced(settings.limits.pushes_per_second)
    return PushWorker(
        senders, preparation, delivery.credits, limiter, assembly.unreachable,
        clock=clock, metrics=metrics, limits=limits,
    )  # fmt: skip


async def chat_ctx(app: web.Application) -> AsyncIterator[None]:
    """The dispatcher; going down, it lets everything end that a message has begun."""
    app[DISPATCHER] = app[ASSEMBLY].dispatcher(app[REDIS])
    yield
    await app[CALLBACK].drain()
    await app[DISPATCHER].drain()


async def readiness_ctx(app: web.Application) -> AsyncIterator[None]:
    """What /readyz looks at, once everything is there."""
    app[READINESS].require("knowledge", app[LIBRARY].check)
    app[READINESS].require("database", app[DATABASE].check)
    app[READINESS].require("redis", app[REDIS].ping)
    yield
