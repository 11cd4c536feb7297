"""What crossed the wire for one line of a chat, in blocks that a page can show."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from bot.emulator.follower import Delivery, Exchange
from bot.emulator.judging import Outcome
from bot.emulator.phone import texts
from bot.emulator.platform import CallRecord

CALLBACK_PATH: Final = "/wechat"
_SECRET_FIELDS: Final = frozenset({"secret", "appsecret"})
# Between two elements, or between the outermost tag and its first element: only there may a reader have a line break.
_SEAM: Final = re.compile(r"(?<=>)(?=<[A-Za-z/])")


@dataclass(frozen=True, slots=True)
class Block:
    """One thing to look at. `note` says in a sentence what it is, `body` is the text itself."""

    title: str
    note: str
    body: str


def blocks_of_exchange(exchange: Exchange) -> list[Block]:
    """A push and its answer, both as they travelled and as they read."""
    blocks: list[Block] = []
    if exchange.deliveries:
        blocks.append(_pushed(exchange.deliveries[0]))
    blocks.append(Block(texts.WIRE_PUSH_PLAIN, texts.WIRE_PUSH_PLAIN_NOTE, _readable(exchange.clear_xml)))
    blocks += _answers(exchange)
    blocks.append(Block(texts.WIRE_JUDGEMENT, _judgement(exchange), ""))
    return blocks


def blocks_of_call(call: CallRecord) -> list[Block]:
    """A call of the API."""
    result = texts.NO_RESULT if call.errcode is None else f"errcode {call.errcode}"
    note = texts.WIRE_CALL_NOTE.format(path=call.path, result=result)
    return [Block(texts.WIRE_CALL, note, masked_body(call.body))]


def masked_body(body: bytes) -> str:
    """The body of a call for reading, without its secrets; "" when there is none."""
    if not body:
        return ""
    try:
        fields = json.loads(body)
    except ValueError:
        return body.decode("utf-8", "replace")
    return json.dumps(_masked(fields), ensure_ascii=False, indent=1)


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: "***" if key in _SECRET_FIELDS else _masked(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_masked(item) for item in value]
    return value


def _pushed(delivery: Delivery) -> Block:
    request = f"POST {CALLBACK_PATH}?{urlencode(delivery.query)}"
    return Block(texts.WIRE_PUSH, texts.WIRE_PUSH_NOTE, f"{request}\n\n{delivery.body.decode()}")


def _answers(exchange: Exchange) -> Iterator[Block]:
    total = len(exchange.deliveries)
    for number, delivery in enumerate(exchange.deliveries, 1):
        title = texts.WIRE_ANSWER + (texts.WIRE_ATTEMPT.format(number=number) if total > 1 else "")
        if delivery.status is None:
            yield Block(title, texts.WIRE_NONE.format(reason=delivery.verdict.reason), "")
            continue
        body = delivery.answer.decode("utf-8", "replace") or texts.WIRE_EMPTY
        yield Block(title, texts.WIRE_ANSWER_NOTE, f"HTTP {delivery.status}\n\n{body}")
        if delivery.verdict.clear_xml:
            clear = _readable(delivery.verdict.clear_xml)
            yield Block(texts.WIRE_ANSWER_PLAIN, texts.WIRE_ANSWER_PLAIN_NOTE, clear)


def _judgement(exchange: Exchange) -> str:
    verdict = exchange.verdict
    if not exchange.deliveries:
        return texts.WIRE_UNDER_WAY
    outcome = texts.OUTCOMES[verdict.outcome]
    reason = verdict.reason
    if verdict.outcome is Outcome.NOTHING and not verdict.clear_xml:
        reason = texts.WIRE_ONLY_SUCCESS
    return texts.WIRE_REASON.format(outcome=outcome, reason=reason) if reason else outcome


def _readable(xml: str) -> str:
    """The same XML with a line for each element; texts stay as they are."""
    pieces = re.split(r"(<!\[CDATA\[.*?\]\]>)", xml, flags=re.DOTALL)
    return "".join(piece if piece.startswith("<![CDATA[") else _SEAM.sub("\n", piece) for piece in pieces)
