"""What a phone makes of the account's answer."""

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bot.emulator.keys import AccountKeys
from bot.emulator.wire import UnreadableAnswer, Wire, read_xml

EVENTS_WITH_ANSWER: Final = frozenset({"subscribe", "SCAN", "CLICK", "scancode_waitmsg", "LOCATION"})
_KINDS: Final = frozenset({"text", "image", "voice", "video", "music", "news", "transfer_customer_service"})
_SECONDS: Final = re.compile(r"[0-9]{1,10}")


class Outcome(StrEnum):
    """What became of one delivery."""

    SHOWN = "shown"
    NOTHING = "nothing"
    FAULT = "fault"  # a wrong answer: the notice at once, no further delivery
    UNANSWERED = "unanswered"  # no answer, or a failure: delivered again while deliveries are left


@dataclass(frozen=True, slots=True)
class Verdict:
    """`text` is what is shown, `reason` why it is a fault, `clear_xml` the answer without its envelope."""

    outcome: Outcome
    text: str = ""
    reason: str = ""
    clear_xml: str = ""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What an answer to one message must fit."""

    keys: AccountKeys
    openid: str
    takes_answer: bool
    max_text_bytes: int


def judge(status: int, body: bytes, expected: Expectation) -> Verdict:
    """The verdict on an answer that came in time."""
    if status != 200:
        return Verdict(Outcome.UNANSWERED, reason=f"status {status}")
    if body in (b"", b"success"):
        return Verdict(Outcome.NOTHING)
    try:
        clear = Wire(expected.keys).open_answer(body)
        text = _text_of(clear, expected)
    except UnreadableAnswer as fault:
        return Verdict(Outcome.FAULT, reason=_refined(body, str(fault)))
    if not expected.takes_answer:
        return Verdict(Outcome.NOTHING, clear_xml=clear)
    return Verdict(Outcome.SHOWN, text=text, clear_xml=clear)


def _text_of(clear: str, expected: Expectation) -> str:
    fields = read_xml(clear)
    if fields.get("FromUserName") != expected.keys.original_id:
        raise UnreadableAnswer("wrong FromUserName")
    if fields.get("ToUserName") != expected.openid:
        raise UnreadableAnswer("wrong ToUserName")
    if not _SECONDS.fullmatch(str(fields.get("CreateTime"))):
        raise UnreadableAnswer("CreateTime is not in seconds")
    kind = fields.get("MsgType")
    if not isinstance(kind, str) or kind not in _KINDS:
        raise UnreadableAnswer("unknown MsgType")
    if kind != "text":
        return f"[{kind}]"
    content = fields.get("Content")
    if not isinstance(content, str) or not content.strip():
        raise UnreadableAnswer("empty Content")
    if len(content.encode()) > expected.max_text_bytes:
        raise UnreadableAnswer("Content is too long")
    return content


def _refined(body: bytes, reason: str) -> str:
    try:
        json.loads(body)
    except ValueError:
        return reason
    return "JSON"
