"""A platform that takes messages after a pause and keeps when each came: what senders are measured against.

A bare protocol, so that it costs less than those who call it. Prints its port. Takes the pause in milliseconds.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from time import monotonic
from typing import Any

_HEAD_END = b"\r\n\r\n"
_FINE = b'{"errcode":0,"errmsg":"ok"}'
_TOKEN = b'{"access_token":"t","expires_in":7200}'


class Taken:
    """What came in since the last look: how many messages, when, and how many to each recipient."""

    def __init__(self) -> None:
        self.at: list[float] = []
        self.to: Counter[str] = Counter()
        self.number = 0

    def report(self) -> bytes:
        told = {"at": self.at, "most_to_one": max(self.to.values(), default=0), "recipients": len(self.to)}
        self.at, self.to = [], Counter()
        return json.dumps(told).encode()


class Platform(asyncio.Protocol):
    """One connection."""

    def __init__(self, taken: Taken, pause_s: float) -> None:
        self._taken = taken
        self._pause_s = pause_s
        self._buffer = b""
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(_HEAD_END)) >= 0:
            head = self._buffer[:end].lower()
            _, _, rest = head.partition(b"content-length:")
            length = int(rest.split(b"\r\n", 1)[0]) if rest else 0
            whole = end + len(_HEAD_END) + length
            if len(self._buffer) < whole:
                return
            body, self._buffer = self._buffer[end + len(_HEAD_END) : whole], self._buffer[whole:]
            self._answer(head, body)

    def _answer(self, head: bytes, body: bytes) -> None:
        path = head.split(b" ", 2)[1]
        if path.startswith(b"/taken"):
            self._write(self._taken.report())
        elif b"token" in path.partition(b"?")[0]:
            self._write(_TOKEN)
        elif (start := body.find(b'"touser"')) < 0:
            # Something about the account itself, which is as it should be.
            self._write(_FINE)
        else:
            self._taken.at.append(monotonic())
            self._taken.to[body[start + 9 : start + 48].split(b'"')[1].decode()] += 1
            self._taken.number += 1
            answer = b'{"errcode":0,"errmsg":"ok","msgid":%d}' % self._taken.number
            asyncio.get_running_loop().call_later(self._pause_s, self._write, answer)

    def _write(self, body: bytes) -> None:
        self._transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
        )


async def main(pause_ms: float) -> None:
    taken = Taken()
    server = await asyncio.get_running_loop().create_server(lambda: Platform(taken, pause_ms / 1000), "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1])))
