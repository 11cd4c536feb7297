"""What a rehearsal tells: one line for each message, sent or not."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final

from tortoise.backends.base.client import BaseDBAsyncClient

from bot.clock import local_date, to_local
from bot.delivery.channels import Letter
from bot.delivery.claims import push_of
from bot.delivery.parcels import Outgoing
from bot.delivery.pushes import Composed, Push, PushSource
from bot.delivery.tables import moment_of
from bot.rehearsal.names import Names
from bot.storage.encryption import KeyRing
from bot.wechat.client import CUSTOM_SEND
from bot.wechat.errors import WindowClosed
from bot.wechat.window import Window

BETWEEN: Final = "+"
_TOLD: Final = ("sent", "unreachable", "expired", "failed", "unknown")
_SETTLED: Final = f"status IN ({', '.join(repr(each) for each in _TOLD)})"
_LETTER: Final = "customer_service"
_APART: Final = ("parts", "whom")


@dataclass(frozen=True, slots=True)
class Part:
    """One promise of a message."""

    rule: str
    reason: str
    occurrence: str


@dataclass(frozen=True, slots=True)
class Line:
    """A message as it would go out. Several promises in one message are joined by `+`, each word once; `parts` has each
    of them apart. `whom`: the recipient in words, "" where the records do not know them. Neither is in the JSON."""

    at: str
    rule: str
    reason: str
    recipient: str
    child: str | None
    occurrence: str
    channel: str
    status: str
    text: str | None = field(repr=False)
    parts: tuple[Part, ...] = field(default=(), repr=False)
    whom: str = field(default="", repr=False)

    @property
    def as_json(self) -> str:
        """On one line."""
        return json.dumps(
            {name: value for name, value in asdict(self).items() if name not in _APART}, ensure_ascii=False
        )


class Stage:
    """Takes the place of the platform: keeps the words of what is sent."""

    def __init__(self) -> None:
        self.words: dict[str, str] = {}
        self.letters: dict[str, list[str]] = {}

    async def send(self, message: Outgoing) -> str | None:
        """As a channel for people. Everything is taken."""
        self.words[message.key] = message.words.text
        return None


class Letters:
    """As the channel for letters: taken while the chat can still be open, which it is at most until two days after the
    rehearsal begins."""

    def __init__(self, stage: Stage, begins: datetime, now: Callable[[], datetime]) -> None:
        self._stage = stage
        self._begins = begins
        self._now = now

    async def send(self, letter: Letter) -> str | None:
        """Raises WindowClosed."""
        self._stage.letters.setdefault(letter.openid_index, []).append(letter.text)
        if self._now() - self._begins > Window.MESSAGE.value[2]:
            raise WindowClosed(CUSTOM_SEND, note="known before calling")
        return None


class Report:
    """Reads off the tables what has just been settled."""

    def __init__(
        self, connection: BaseDBAsyncClient, sources: Mapping[str, PushSource], keys: KeyRing, stage: Stage
    ) -> None:
        self._connection = connection
        self._sources = sources
        self._keys = keys
        self._stage = stage
        self._seen: set[str] = set()
        self._names = Names()

    async def since(self, now: datetime) -> list[Line]:
        """What was settled at this moment and not told before."""
        return [*await self._pushes(now), *await self._letters(now)]

    async def _pushes(self, now: datetime) -> list[Line]:
        rows = await self._settled("outbox_push", now)
        messages: dict[str, list[Mapping[str, Any]]] = {}
        for row in rows:
            # What did not go out travels alone, whatever it was last tried with.
            one = str(row["message_id"] or row["id"]) if row["status"] == "sent" else str(row["id"])
            messages.setdefault(f"{one} {row['person_id']}", []).append(row)
        await self._names.learn({str(row["person_id"]) for row in rows}, local_date(now))
        return [await self._line(own, now) for own in messages.values()]

    async def _settled(self, table: str, now: datetime) -> Sequence[Mapping[str, Any]]:
        at = now if self._connection.capabilities.dialect == "postgres" else now.isoformat(" ")
        mark = "$1" if self._connection.capabilities.dialect == "postgres" else "?1"
        _, rows = await self._connection.execute_query(
            f"SELECT * FROM {table} WHERE {_SETTLED} AND updated_at = {mark} ORDER BY id",  # noqa: S608
            [at],
        )
        fresh = [row for row in rows if str(row["id"]) not in self._seen]
        self._seen |= {str(row["id"]) for row in fresh}
        return fresh

    async def _line(self, rows: Sequence[Mapping[str, Any]], now: datetime) -> Line:
        pushes = [push_of(row) for row in rows]
        children = [child for push in pushes for child in push.child_ids]
        text = self._stage.words.get(str(rows[0]["message_id"] or "").replace("-", ""))
        return Line(
            at=_local(now),
            rule=_joined([push.rule for push in pushes]),
            reason=_joined([push.reason for push in pushes]),
            recipient=pushes[0].person_id,
            child=_joined(children) or None,
            occurrence=_joined([push.occurrence for push in pushes]),
            channel=str(rows[0]["channel"] or ""),
            status=str(rows[0]["status"]),
            text=text if text is not None and rows[0]["status"] == "sent" else await self._composed(pushes[0], now),
            whom=self._names.of(pushes[0].person_id),
            parts=tuple(Part(push.rule, push.reason, push.occurrence) for push in pushes),
        )

    async def _composed(self, push: Push, now: datetime) -> str | None:
        """The words of what did not go out; None when there are none any more."""
        source = self._sources.get(push.reason.partition(":")[0])
        words = (await source.compose([push], now)).get(push.id) if source is not None else None
        return words.text if isinstance(words, Composed) else None

    async def _letters(self, now: datetime) -> list[Line]:
        lines = []
        for row in await self._settled("outbox_message", now):
            text = self._keys.decrypt(bytes(row["payload"]), "outbox_message.payload")
            lines.append(
                Line(
                    at=_local(now),
                    rule=row["reason"],
                    reason=row["reason"],
                    recipient=row["openid_index"],
                    child=None,
                    occurrence=row["occurrence"],
                    channel=_LETTER,
                    status=str(row["status"]),
                    text=str(json.loads(text)["text"]),
                    parts=(Part(row["reason"], row["reason"], row["occurrence"]),),
                )
            )
        return lines


def moment_in(value: Any) -> datetime | None:
    """A moment as the database gave it, None for none."""
    return None if value is None else moment_of(value)


def _joined(parts: Sequence[str]) -> str:
    return BETWEEN.join(dict.fromkeys(parts))


def _local(now: datetime) -> str:
    return to_local(now).isoformat(timespec="seconds")
