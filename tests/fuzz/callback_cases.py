"""Mutated callbacks: real pushes with something changed in the query, the headers, the envelope or the message.

Each case comes with the one thing that decides what may happen to it: whether it is rightly signed. That is worked out
from the final bytes, by other code than the product's.
"""

import base64
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, urlencode

from wechatpy.crypto import PrpCrypto

from bot.emulator.wire import Wire, signature, to_xml
from bot.wechat.crypto import Mode
from tests.bot.wechat.samples import ACCOUNT, AES_KEY, APP_ID, OPENID, TOKEN, account_keys

ODD_TEXTS = (
    "", " ", "\x00", "\x0b", "\ufffe", "\ud800", "]]>", "<![CDATA[", "&lt;", "&a;", "%s", "%00", "%ff", "\r\n", "'",
    '"', "0", "-1", "9" * 40, "1e9", "NaN", "null", "true", "[]", "{}", "١", "文" * 50, "a" * 5000, "../../etc/passwd",
    "<!DOCTYPE xml>", "<xml>", "</xml>", "\u202e", "👨‍👩‍👧", "text", "event", "CLICK", "success",
)  # fmt: skip
KINDS = ("text", "image", "voice", "video", "shortvideo", "location", "link", "file", "event", "TEXT", "")
EVENTS = ("subscribe", "unsubscribe", "SCAN", "CLICK", "VIEW", "LOCATION", "subscribe_msg_popup_event", "none", "")
HEADERS = (
    "Content-Type: application/json", "Content-Type: ;;;", "Content-Type: text/xml; charset=utf-16",
    "Content-Encoding: gzip", "Content-Encoding: deflate", "Content-Encoding: identity", "Content-Encoding: x",
    "Expect: 100-continue", "Transfer-Encoding: identity", "X-Forwarded-For: 127.0.0.1", "Cookie: a=b; c",
    "Accept-Encoding: gzip", "Host: evil.example", "X-Odd: \x7f\xe9", "Range: bytes=0-1", "Upgrade: websocket",
    "Content-Length: 3", "Content-Length: -1", "Content-Length: x", "X-Long: " + "a" * 9000,
)  # fmt: skip
ENCODINGS = ("utf-16", "gb18030", "utf-32", "utf-8-sig")
BOMB = '<!DOCTYPE xml [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'


@dataclass
class Draft:
    """A request under construction."""

    query: list[tuple[str, str]]
    body: bytes
    headers: list[str] = field(default_factory=list)
    raw_query: str | None = None
    is_chunked: bool = False
    method: str = "POST"


@dataclass(frozen=True)
class Case:
    """A request as bytes.

    `may_act`: rightly signed and fresh, so that it may have an effect and get a reply. `is_framed`: its length is
    told as it is, so that the connection can be used again.
    """

    request: bytes
    may_act: bool
    is_framed: bool
    what: str


class Mutator:
    """An endless source of cases for one mode, always the same for the same seed."""

    def __init__(self, mode: Mode, seed: int, now: int) -> None:
        self._dice = random.Random(f"{mode}{seed}")
        self._mode = mode
        self._now = now
        self._wire = Wire(account_keys(mode))
        self._cipher = PrpCrypto(base64.b64decode(AES_KEY + "="))
        self._serial = 0
        self._before: list[Case] = []
        self._kinds: tuple[Callable[[], tuple[Draft, str]], ...] = (
            self._changed_query,
            self._changed_body,
            self._changed_message,
            self._changed_elements,
            self._sealed_garbage,
            self._odd_headers,
            self._stale,
            self._several_changes,
            self._foreign,
        )

    def __iter__(self) -> Iterator[Case]:
        while True:
            if self._before and self._dice.random() < 0.1:
                yield self._dice.choice(self._before)  # a replay, to the byte
                continue
            draft, what = self._dice.choice(self._kinds)()
            case = Case(_bytes_of(draft), self._may_act(draft), not draft.headers, what)
            self._before = [*self._before[-50:], case]
            yield case

    # ------------------------------------------------------------------------------------------------- kinds of change
    def _changed_query(self) -> tuple[Draft, str]:
        draft = self._push()
        for _ in range(self._dice.randint(1, 3)):
            self._mutate_query(draft)
        return draft, "query"

    def _changed_body(self) -> tuple[Draft, str]:
        draft = self._push()
        for _ in range(self._dice.randint(1, 4)):
            draft.body = self._mutate_bytes(draft.body)
        return draft, "body"

    def _changed_message(self) -> tuple[Draft, str]:
        """The message is mutated before it is rightly sealed and signed."""
        xml = self._mutate_bytes(self._message().encode("utf-8", "replace"))
        return self._push(xml.decode("utf-8", "replace")), "message"

    def _changed_elements(self) -> tuple[Draft, str]:
        fields = {
            name: self._dice.choice((value, self._dice.choice(ODD_TEXTS))) for name, value in self._fields().items()
        }
        for name in list(fields):
            if self._dice.random() < 0.1:
                del fields[name]
        xml = to_xml(fields)
        if self._dice.random() < 0.2:
            xml = xml.replace("<xml>", self._dice.choice((BOMB + "<xml>", "\ufeff<xml>", "<xml><xml>", "<xml a='b'>")))
        if self._dice.random() < 0.1:
            xml = xml.replace("</xml>", "<a>" * 400 + "</a>" * 400 + "</xml>")
        return self._push(xml.encode("utf-8", "replace").decode()), "elements"

    def _sealed_garbage(self) -> tuple[Draft, str]:
        """Rightly signed, and nothing inside makes sense."""
        garbage = self._dice.randbytes(self._dice.choice((0, 1, 15, 16, 31, 32, 48, 64, 320)))
        if self._dice.random() < 0.5:
            garbage = self._cipher.cipher.encrypt(garbage + bytes(-len(garbage) % 16))
        sealed = base64.b64encode(garbage).decode()
        if self._dice.random() < 0.3:
            sealed = self._dice.choice(
                (sealed[:-1], sealed + "=", sealed.replace("A", "-"), "文", sealed + "\n", " " + sealed)
            )
        body = f"<xml><ToUserName><![CDATA[{ACCOUNT}]]></ToUserName><Encrypt><![CDATA[{sealed}]]></Encrypt></xml>"
        return Draft(self._signed_query(sealed), body.encode()), "sealed garbage"

    def _odd_headers(self) -> tuple[Draft, str]:
        draft = self._push()
        draft.headers = self._dice.sample(HEADERS, self._dice.randint(1, 2))
        draft.is_chunked = self._dice.random() < 0.2
        draft.method = self._dice.choice(("POST", "POST", "POST", "GET", "PUT", "PATCH", "DELETE", "HEAD", "BREW"))
        return draft, "headers"

    def _stale(self) -> tuple[Draft, str]:
        seconds = self._dice.choice((-(10**9), -86400, -301, 61, 3600, 10**9, 10**11))
        return self._push(at=self._now + seconds), "stale"

    def _several_changes(self) -> tuple[Draft, str]:
        draft, _ = self._odd_headers()
        draft.body = self._mutate_bytes(draft.body)
        self._mutate_query(draft)
        return draft, "everything"

    def _foreign(self) -> tuple[Draft, str]:
        """Made by somebody who does not know the token, or for another account."""
        keys = (
            account_keys(self._mode, token="guess")
            if self._dice.random() < 0.5
            else account_keys(self._mode, app_id="wx")
        )
        query, body = Wire(keys).push(self._message(), OPENID, str(self._now), self._nonce())
        return Draft(query, body), "foreign"

    # ----------------------------------------------------------------------------------------------------------- parts
    def _push(self, xml: str | None = None, at: int | None = None) -> Draft:
        wire = self._wire
        if self._dice.random() < 0.05:
            wire = Wire(account_keys(self._dice.choice(list(Mode))))
        timestamp = str(self._now if at is None else at)
        return Draft(*wire.push(self._message() if xml is None else xml, OPENID, timestamp, self._nonce()))

    def _signed_query(self, sealed: str) -> list[tuple[str, str]]:
        timestamp, nonce = str(self._now), self._nonce()
        return [
            ("signature", signature(TOKEN, timestamp, nonce)),
            ("timestamp", timestamp),
            ("nonce", nonce),
            ("encrypt_type", "aes"),
            ("msg_signature", signature(TOKEN, timestamp, nonce, sealed)),
        ]

    def _nonce(self) -> str:
        return str(self._dice.randrange(10**9, 10**10))

    def _message(self) -> str:
        return to_xml(self._fields())

    def _fields(self) -> dict[str, str]:
        self._serial += 1
        return {
            "ToUserName": ACCOUNT,
            "FromUserName": OPENID,
            "CreateTime": str(self._now),
            "MsgType": self._dice.choice(KINDS),
            "Content": "课后服务怎么报名？",
            "MsgId": str(24 * 10**15 + self._serial),
            "Event": self._dice.choice(EVENTS),
            "EventKey": self._dice.choice(("", "qrscene_1", "menu.help")),
            "Location_X": "33.9",
            "Location_Y": "118.2",
        }

    def _mutate_query(self, draft: Draft) -> None:
        place = self._dice.randrange(len(draft.query)) if draft.query else 0
        choice = self._dice.randrange(7)
        if not draft.query or choice == 0:
            draft.query.insert(place, (self._dice.choice(("nonce", "timestamp", "signature", "x", "")), self._odd()))
        elif choice == 1:
            del draft.query[place]
        elif choice == 2:
            draft.query[place] = (draft.query[place][0], self._odd())
        elif choice == 3:
            name, value = draft.query[place]
            draft.query[place] = (name, self._mutate_bytes(value.encode("utf-8", "replace")).decode("latin-1"))
        elif choice == 4:
            self._dice.shuffle(draft.query)
        elif choice == 5:
            draft.query[place] = (draft.query[place][0].upper(), draft.query[place][1])
        else:
            encoded = urlencode(draft.query, errors="replace")
            draft.raw_query = encoded.replace("=", self._dice.choice(("=%ff", "==", "", "=%00", "=%")), 1)

    def _mutate_bytes(self, body: bytes) -> bytes:
        place, length = self._dice.randrange(len(body) + 1), self._dice.randrange(1, 40)
        before, after = body[:place], body[place:]
        ways: tuple[Callable[[], bytes], ...] = (
            lambda: before,
            lambda: after,
            lambda: before + self._dice.randbytes(length) + after,
            lambda: before + after[length:],
            lambda: before + after[:length] * 3 + after,
            lambda: before + self._odd().encode("utf-8", "replace") + after,
            lambda: self._dice.choice(
                (b"", b"{}", b"success", b"<xml/>", b"\xef\xbb\xbf" + body, body + b"\n", body + body)
            ),
            lambda: body.decode("utf-8", "replace").encode(self._dice.choice(ENCODINGS), "replace"),
            lambda: BOMB.encode() + body,
            lambda: body + b" " * self._dice.choice((1, 1000, 65536, 70000)),
            lambda: self._dice.randbytes(length),
            lambda: self._sprinkled(body, length),
        )
        return self._dice.choice(ways)()

    def _sprinkled(self, body: bytes, count: int) -> bytes:
        changed = bytearray(body)
        for _ in range(min(count, len(changed))):
            changed[self._dice.randrange(len(changed))] = self._dice.randrange(256)
        return bytes(changed)

    def _odd(self) -> str:
        return self._dice.choice(ODD_TEXTS)

    # ---------------------------------------------------------------------------------------------------------- oracle
    def _may_act(self, draft: Draft) -> bool:
        text = draft.raw_query if draft.raw_query is not None else urlencode(draft.query, errors="replace")
        query: dict[str, str] = {}
        for name, value in parse_qsl(text, keep_blank_values=True, errors="replace"):
            query.setdefault(name, value)
        timestamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
        if not re.fullmatch(r"[0-9]{1,12}", timestamp) or not -300 <= int(timestamp) - self._now <= 60:
            return False
        if query.get("signature") != signature(TOKEN, timestamp, nonce):
            return False
        if self._mode is Mode.PLAIN:
            return True
        sealed = re.findall(rb"<Encrypt>(?:<!\[CDATA\[)?([^<\]]*)", draft.body)
        return any(
            query.get("msg_signature") == signature(TOKEN, timestamp, nonce, each.decode("latin-1")) for each in sealed
        )


def _bytes_of(draft: Draft) -> bytes:
    query = (
        draft.raw_query if draft.raw_query is not None else urlencode(draft.query, errors="replace", quote_via=quote)
    )
    head = [f"{draft.method} /wechat?{query} HTTP/1.1", "Host: 127.0.0.1", *draft.headers]
    body = draft.body
    if draft.is_chunked:
        head.append("Transfer-Encoding: chunked")
        body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if body else b"0\r\n\r\n"
    elif not any(header.startswith("Content-Length") for header in draft.headers):
        head.append(f"Content-Length: {len(body)}")
    return "\r\n".join(head).encode("latin-1", "replace") + b"\r\n\r\n" + body


__all__ = ["APP_ID", "Case", "Mutator"]
