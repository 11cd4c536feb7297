"""The composition root: builds the application from settings. The only module of `bot` that imports `handlers`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp import web

from bot.capability import Erasure, Machinery
from bot.chat import Assembly
from bot.clock import Clock, SystemClock
from bot.config import Settings
from bot.config_values import SHIPPED_CONTENT
from bot.delivery.channels import CustomerServiceChannel
from bot.delivery.outbox import CUSTOMER_SERVICE, Outbox
from bot.delivery.worker import DeliveryWorker
from bot.dialogue.dispatcher import Dispatcher
from bot.library import Library
from bot.metrics import Metrics
from bot.scheduler.runner import scheduler_ctx
from bot.storage.database import DATABASE, database_ctx
from bot.storage.redis import REDIS, RedisStore, redis_ctx
from bot.web import api
from bot.web.callback import CallbackLimits, WeChatCallback
from bot.web.health import READINESS, Readiness, health_routes
from bot.web.middlewares import BODY_LIMIT, edge
from bot.wechat.client import Account, WeChatClient
from bot.wechat.crypto import CallbackCrypto, CallbackKeys
from bot.wechat.messages import Inbound, Reply
from bot.wechat.token_store import RedisTokenStore
from bot.wechat.window import WindowLedger
from handlers.catalogue import CAPABILITIES
from handlers.support.capability import menu_of

if TYPE_CHECKING:
    from knowledge.base import KnowledgeBase

SETTINGS = web.AppKey("settings", Settings)
CLOCK = web.AppKey("clock", Clock)
METRICS = web.AppKey("metrics", Metrics)
HTTP_SESSION = web.AppKey("http_session", aiohttp.ClientSession)
WECHAT = web.AppKey("wechat", WeChatClient)
LIBRARY: web.AppKey[Library[KnowledgeBase]] = web.AppKey("library", Library)
ASSEMBLY = web.AppKey("assembly", Assembly)
CALLBACK = web.AppKey("callback", WeChatCallback)
DISPATCHER = web.AppKey("dispatcher", Dispatcher)
WORKER = web.AppKey("worker", DeliveryWorker)

# As many calls to WeChat at once as the worker may make; the default of 100 halves its speed.
HTTP_CONNECTIONS = 400

Context = Callable[[web.Application], AsyncIterator[None]]


def build_app(
    settings: Settings,
    *,
    clock: Clock | None = None,
    wechat_url: str | None = None,
    worker: bool = True,
    knowledge: Callable[[], KnowledgeBase] | None = None,
) -> web.Application:
    """The application, not started. Parts come up in the order of the contexts below and go down in reverse.

    `wechat_url` takes the place of `[wechat] api_base`, for an emulator beside it; without `worker` nothing is sent of
    what is to be sent later; `knowledge` takes the place of the configured content, for one that is loaded already.
    Nothing connects, and no task exists, before the application is started.
    """
    metrics = Metrics()
    app = web.Application(middlewares=[edge(metrics)], client_max_size=BODY_LIMIT)
    app[SETTINGS] = settings
    app[CLOCK] = clock or SystemClock()
    app[METRICS] = metrics
    app[READINESS] = Readiness()
    app[LIBRARY] = Library(knowledge or partial(load_knowledge, settings))
    app[ASSEMBLY] = assembly_of(app)
    app[CALLBACK] = callback_of(app)
    app.add_routes(health_routes(metrics))
    app.add_routes(app[CALLBACK].routes())
    failures = api.FailureLimit(lambda: app[REDIS], app[CLOCK], settings.limits.failed_attempts_per_minute)
    app.add_subapp(api.PREFIX, api.api_application(app[ASSEMBLY].api, failures))
    contexts: list[Context] = [
        database_ctx(settings),
        redis_ctx(settings, metrics),
        http_session_ctx,
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


def assembly_of(app: web.Application) -> Assembly:
    """All capabilities over the application's machinery."""
    clock, metrics = app[CLOCK], app[METRICS]
    machinery = Machinery(
        settings=app[SETTINGS],
        clock=clock,
        metrics=metrics,
        library=app[LIBRARY],
        outbox=Outbox(clock, metrics),
        erasure=Erasure(),
    )
    return Assembly(CAPABILITIES, machinery)


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


def load_knowledge(settings: Settings) -> KnowledgeBase:
    """The knowledge of the configured folders. Slow, also to import: call it in a thread. Raises ContentFaults."""
    from knowledge.base import KnowledgeBase
    from knowledge.loader import shipped_folders
    from knowledge.snapshot import default_folder

    folders: list[Path] = []
    for name in settings.knowledge.content:
        folders += shipped_folders() if name == SHIPPED_CONTENT else [Path(name)]
    return KnowledgeBase.load(folders, snapshots=default_folder())


async def http_session_ctx(app: web.Application) -> AsyncIterator[None]:
    """The one HTTP client session, for calls to WeChat."""
    connector = aiohttp.TCPConnector(limit=HTTP_CONNECTIONS)
    async with aiohttp.ClientSession(connector=connector) as session:
        app[HTTP_SESSION] = session
        yield


def wechat_ctx(url: str | None) -> Context:
    """The client of the 服务号's API."""

    async def context(app: web.Application) -> AsyncIterator[None]:
        session, store = app[HTTP_SESSION], app[REDIS]
        app[WECHAT] = wechat_client(app[SETTINGS], session, store, clock=app[CLOCK], metrics=app[METRICS], url=url)
        yield

    return context


def wechat_client(
    settings: Settings,
    session: aiohttp.ClientSession,
    store: RedisStore,
    *,
    clock: Clock,
    metrics: Metrics,
    url: str | None = None,
) -> WeChatClient:
    """The client of the configured account; its token is shared through the store."""
    wechat = settings.wechat
    account = Account(url or wechat.api_base, wechat.app_id, wechat.app_secret)
    return WeChatClient(session, account, RedisTokenStore(store, wechat.app_id), clock, metrics=metrics)


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
    app[WORKER] = worker_of(app)
    app[WORKER].start()
    yield
    await app[WORKER].stop()


def worker_of(app: web.Application) -> DeliveryWorker:
    """A worker over the application's stores and its client."""
    clock = app[CLOCK]
    channel = CustomerServiceChannel(app[WECHAT], WindowLedger(app[REDIS]), clock)
    return DeliveryWorker({CUSTOMER_SERVICE: channel}, checks=app[ASSEMBLY].checks, clock=clock, metrics=app[METRICS])


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
