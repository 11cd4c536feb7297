"""All phones of the demo, and the one line from the platform to the product."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from bot.emulator.phone import texts
from bot.emulator.phone.chat import Act, Channel, Chat, Kind
from bot.emulator.phone.errors import StillWaiting, UnknownPersona
from bot.emulator.phone.personas import PERSONAS, Persona
from bot.emulator.phone.traffic import masked_body
from bot.emulator.platform import MINI_PROGRAM_PREFIX, Account
from bot.emulator.server import Emulator
from bot.logs import get_logger

# Nobody listens on the discard port, so every connection is refused at once.
CUT_LINE: Final = "http://127.0.0.1:9/wechat"
MOST_WAITING: Final = 20

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRow:
    """One row of the log: on whose phone, or the product itself for its calls."""

    at: datetime
    channel: str
    who: str
    text: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Desk:
    """The way into the console beside the phones: its path, a login, and the code its authenticator shows now."""

    path: str
    login: str
    password: str
    code: Callable[[], str]


class Phones:
    """The personas' chats. Acts run in tasks of their own, so that a slow answer holds no page up."""

    def __init__(
        self,
        emulator: Emulator,
        account: Account,
        *,
        ready: asyncio.Event,
        personas: Sequence[Persona] = PERSONAS,
        desk: Desk | None = None,
        mini_program: Account | None = None,
    ) -> None:
        """`ready` is set as soon as the product can answer questions, or it is clear that it never will. With a
        `mini_program` each phone shows what that sends as well."""
        self.emulator = emulator
        self.account = account
        self.ready = ready
        self.desk = desk
        self.fault = ""
        self.personas = {persona.openid: persona for persona in personas}
        self._chats = {
            openid: Chat(
                emulator.platform,
                account,
                emulator.follower(account, openid, is_following=False),
                emulator.mini_program_user(mini_program, MINI_PROGRAM_PREFIX + openid) if mini_program else None,
            )
            for openid in self.personas
        }
        self._tasks: set[asyncio.Task[None]] = set()
        self._whole_line = ""

    @property
    def is_cut(self) -> bool:
        """Whether the product is out of the platform's reach."""
        return bool(self._whole_line)

    def cut(self) -> None:
        """From now on no push reaches the product."""
        if not self.is_cut:
            self._whole_line, self.emulator.callback_url = self.emulator.callback_url, CUT_LINE

    def mend(self) -> None:
        """Ends `cut`."""
        if self.is_cut:
            self.emulator.callback_url, self._whole_line = self._whole_line, ""

    def give_up(self, fault: str) -> None:
        """The product will answer no question; `fault` tells visitors why. Everything else goes on."""
        self.fault = fault
        self.ready.set()

    def persona(self, openid: str) -> Persona:
        """Raises UnknownPersona."""
        if openid not in self.personas:
            raise UnknownPersona
        return self.personas[openid]

    def chat(self, openid: str) -> Chat:
        """Raises UnknownPersona."""
        if openid not in self._chats:
            raise UnknownPersona
        return self._chats[openid]

    def start(self, chat: Chat, act: Act) -> asyncio.Task[None]:
        """Begins the act. Raises NotNow or StillWaiting, then nothing has happened."""
        chat.check(act)
        if chat.waiting >= MOST_WAITING:
            raise StillWaiting
        return self._keep(chat.perform(act))

    def open_when_ready(self) -> None:
        """As soon as the product can answer, the personas follow and say their opening lines."""
        self._keep(self._open())

    async def close(self) -> None:
        """Gives up what is still under way."""
        for task in (tasks := tuple(self._tasks)):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def log(self) -> list[LogRow]:
        """Everything said, shown and called, newest first."""
        rows = [
            LogRow(at=line.at, channel=line.channel, who=self._name(openid), text=line.text)
            for openid, chat in self._chats.items()
            for line in chat.lines
        ]
        rows += [
            LogRow(
                at=call.at,
                channel="api",
                who=texts.PRODUCT,
                text=f"{call.path}　{texts.NO_RESULT if call.errcode is None else f'errcode {call.errcode}'}",
                detail=masked_body(call.body),
            )
            for call in self.emulator.platform.calls
        ]
        return sorted(rows, key=lambda row: row.at)[::-1]

    def status_of(self, chat: Chat) -> str:
        """What a visitor should know at the moment; "" when nothing."""
        if chat.tries > 1:
            return texts.RETRYING.format(number=chat.tries, most=self.emulator.platform.rules.deliveries)
        if self.is_cut:
            return texts.CUT
        if chat.tries:
            return texts.WAITING
        return self.fault if self.ready.is_set() else texts.PREPARING

    def _name(self, openid: str) -> str:
        persona = self.personas[openid]
        return f"{persona.name}（{openid}）"

    def _keep(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (fault := task.exception()) is not None:
            _log.error("demo_act_failed", cause=repr(fault))

    async def _open(self) -> None:
        await self.ready.wait()
        for openid, chat in self._chats.items():
            if any(line.channel is not Channel.HINT for line in chat.lines):
                continue
            acts = [Act(Kind.FOLLOW), *(Act(Kind.SAY, text) for text in self.personas[openid].opening)]
            for act in acts:
                await chat.perform(act)
