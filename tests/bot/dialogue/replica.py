"""One replica in a process of its own. Says `ready`, waits for a line, then works.

Arguments: database address, Redis address, mode (claim, noclaim, hang), number of the replica.
"""

from __future__ import annotations

import asyncio
import json
import sys

from bot.clock import FrozenClock
from bot.dialogue.context import ChatContext
from bot.dialogue.inbox import Inbox
from bot.metrics import Metrics
from bot.storage.database import open_database
from bot.storage.redis import RedisStore, redis_client
from bot.wechat.messages import Reply, TextMessage
from tests.bot.dialogue.stage import NOW, Stage, UnclaimedInbox, leave_mark, route, said, text
from tests.settings import make_settings

MESSAGES = 40


def tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def leave_mark_and_hang(context: ChatContext, message: TextMessage) -> Reply:
    await leave_mark(context, message)
    tell("claimed")
    await asyncio.Event().wait()
    raise AssertionError("nobody wakes it")


async def main(database_url: str, redis_url: str, mode: str, number: int) -> None:
    clock, metrics = FrozenClock(NOW), Metrics()
    async with open_database(make_settings(database={"url": database_url})) as database:
        await database.check()
        store = RedisStore(redis_client(redis_url), metrics)
        inbox = UnclaimedInbox(clock) if mode == "noclaim" else Inbox(clock)
        handle = leave_mark_and_hang if mode == "hang" else leave_mark
        replica = Stage(clock, metrics).dispatcher([route(handle)], store, inbox=inbox)
        tell("ready")
        await asyncio.to_thread(sys.stdin.readline)
        if mode == "hang":
            await replica.dispatch(text("报名", id=1))
        ids = list(range(1, MESSAGES + 1))
        ids = ids[number * 13 :] + ids[: number * 13]
        replies = await asyncio.gather(*(replica.dispatch(text("报名", id=id)) for id in ids))
        found = {id: said(reply) for id, reply in zip(ids, replies, strict=True)}
        tell(json.dumps([found[id] for id in sorted(found)], ensure_ascii=False))
        await store.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
