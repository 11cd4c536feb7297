"""What goes out besides customer-service messages: its values, and what the platform answers and reports about it.

The values of templates are strings that already fit their types (`bot.wechat.template_values`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final

from bot.errors import InvalidInput
from bot.wechat.messages import Event

LONGEST_TEMPLATE_ID: Final = 32
"""Characters of a `client_msg_id`."""
LONGEST_MASS_ID: Final = 64
"""Bytes of a `clientmsgid`."""
FEWEST_OPENIDS: Final = 2
MOST_OPENIDS: Final = 10_000

_KNOWN_TEXTS: Final = 512
_STATUS_ERROR: Final = re.compile(r"err\((\d+)\)")


as_json: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
"""In raw UTF-8: escaped characters are refused (40033) or shown as they are."""


class UnsendableMessage(InvalidInput):
    """A message that the platform could never take: a bug on our side, found before the call."""

    code = "unsendable_message"


@dataclass(frozen=True, slots=True)
class MiniProgramPage:
    """A page of a mini-program that is linked to the 服务号. `path` without a slash at its beginning."""

    app_id: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateMessage:
    """A template message of the 服务号. `values` by key (`thing1`); `url` where a tap leads, or what old phones do with
    `mini_program`. `client_msg_id` (at most 32 characters): the platform takes the same one for the same person once
    only, for a minute at least."""

    template_id: str
    values: Mapping[str, str] = field(repr=False)
    url: str = field(default="", repr=False)
    mini_program: MiniProgramPage | None = field(default=None, repr=False)
    client_msg_id: str = ""

    def body(self, openid: str) -> bytes:
        """As the API takes it. Raises UnsendableMessage."""
        if len(self.client_msg_id) > LONGEST_TEMPLATE_ID:
            raise UnsendableMessage
        own = {"touser": openid, **_led_to(self.url, self.mini_program, "url")}
        if self.client_msg_id:
            own["client_msg_id"] = self.client_msg_id
        # Value by value, which takes a string less time than an object around it.
        parts = [f'"{name}":{as_json(value)}' for name, value in own.items()]
        return f"{{{','.join(parts)},{_shared(self.template_id, *self.values.items())}}}".encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionNotice:
    """A 订阅通知 of the 服务号, for one consent. `url` where a tap leads. It has no protection against doubles."""

    template_id: str
    values: Mapping[str, str] = field(repr=False)
    url: str = field(default="", repr=False)
    mini_program: MiniProgramPage | None = field(default=None, repr=False)

    def body(self, openid: str) -> dict[str, Any]:
        """As the API takes it."""
        body = {"touser": openid, "template_id": self.template_id, **_led_to(self.url, self.mini_program, "page")}
        return {**body, "data": _data(self.values)}


class MiniProgramState(StrEnum):
    """Which version of the mini-program a tap opens."""

    DEVELOPER = "developer"
    TRIAL = "trial"
    FORMAL = "formal"


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionMessage:
    """A 订阅消息 of the mini-program, for one consent. `page` with its query, without a slash at its beginning. It has
    no protection against doubles."""

    template_id: str
    values: Mapping[str, str] = field(repr=False)
    page: str = field(default="", repr=False)
    state: MiniProgramState = MiniProgramState.FORMAL

    def body(self, openid: str) -> dict[str, Any]:
        """As the API takes it."""
        body: dict[str, Any] = {"touser": openid, "template_id": self.template_id}
        if self.page:
            body["page"] = self.page
        return {**body, "miniprogram_state": self.state.value, "lang": "zh_CN", "data": _data(self.values)}


@dataclass(frozen=True, slots=True)
class OpenIds:
    """Two to ten thousand followers by name."""

    openids: Sequence[str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Tag:
    """The followers with one tag; None: all followers, which the platform takes once a day."""

    tag_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MassMessage:
    """A text to many. `clientmsgid` (at most 64 bytes): the platform takes the same one once only."""

    audience: OpenIds | Tag
    text: str = field(repr=False)
    clientmsgid: str = ""

    def body(self) -> dict[str, Any]:
        """As the API takes it. Raises UnsendableMessage."""
        body: dict[str, Any] = {"msgtype": "text", "text": {"content": self.text}, **self._to()}
        if len(self.clientmsgid.encode()) > LONGEST_MASS_ID:
            raise UnsendableMessage
        return {**body, "clientmsgid": self.clientmsgid} if self.clientmsgid else body

    def _to(self) -> dict[str, Any]:
        if isinstance(self.audience, Tag):
            tag_id = self.audience.tag_id
            return {"filter": {"is_to_all": True} if tag_id is None else {"is_to_all": False, "tag_id": tag_id}}
        openids = list(dict.fromkeys(self.audience.openids))
        if not FEWEST_OPENIDS <= len(openids) <= MOST_OPENIDS:
            raise UnsendableMessage
        return {"touser": openids}


@dataclass(frozen=True, slots=True)
class MassJob:
    """A mass message the platform has taken. `is_repeat`: it had taken it before, under the same `clientmsgid`."""

    message_id: str
    is_repeat: bool = False


class MassStatus(StrEnum):
    """How far a mass message is."""

    SENDING = "SENDING"
    SENT = "SEND_SUCCESS"
    FAILED = "SEND_FAIL"
    DELETED = "DELETE"
    OTHER = ""
    """Something the platform has not documented."""


@dataclass(frozen=True, slots=True)
class Quota:
    """What is left of an API's calls today; `a_minute` None when the platform names no rate."""

    daily_limit: int
    used: int
    remain: int
    a_minute: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateJob:
    """What became of a template message, from TEMPLATESENDJOBFINISH. `is_blocked`: its reader has shut it off."""

    message_id: str
    is_delivered: bool
    is_blocked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MassOutcome:
    """What became of a mass message, from MASSSENDJOBFINISH. `filtered_count`: how many were left after the platform's
    filters, the four a month among them; `sent_count` and `error_count` make it up. `error_code`: the judgement on its
    content (`20001` politics), None when there was none."""

    message_id: str
    is_sent: bool
    total_count: int
    filtered_count: int
    sent_count: int
    error_count: int
    error_code: int | None


def template_job(event: Event) -> TemplateJob | None:
    """The outcome that an event tells of; None for other events."""
    if event.name != "templatesendjobfinish":
        return None
    status = _text(event, "Status").lower()
    return TemplateJob(
        message_id=_text(event, "MsgID"), is_delivered=status == "success", is_blocked="user block" in status
    )


def mass_outcome(event: Event) -> MassOutcome | None:
    """The outcome that an event tells of; None for other events."""
    if event.name != "masssendjobfinish":
        return None
    status = _text(event, "Status")
    error = _STATUS_ERROR.search(status)
    return MassOutcome(
        message_id=_text(event, "MsgID"),
        is_sent=status.lower() == "send success",
        total_count=_number(event, "TotalCount"),
        filtered_count=_number(event, "FilterCount"),
        sent_count=_number(event, "SentCount"),
        error_count=_number(event, "ErrorCount"),
        error_code=int(error[1]) if error else None,
    )


def _led_to(url: str, page: MiniProgramPage | None, name: str) -> dict[str, Any]:
    led: dict[str, Any] = {name: url} if url else {}
    return led if page is None else {**led, "miniprogram": {"appid": page.app_id, "pagepath": page.path}}


@lru_cache(_KNOWN_TEXTS)
def _shared(template_id: str, *values: tuple[str, str]) -> str:
    """What a message has in common with others, as the end of an object: a broadcast says the same to many."""
    return f'"template_id":{as_json(template_id)},"data":{as_json(_data(dict(values)))}'


def _data(values: Mapping[str, str]) -> dict[str, dict[str, str]]:
    return {key: {"value": value} for key, value in values.items()}


def _text(event: Event, name: str) -> str:
    value = event.fields.get(name)
    return value.strip() if isinstance(value, str) else ""


def _number(event: Event, name: str) -> int:
    text = _text(event, name)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 12 else 0
