"""What is known of a request whose answer did not come: never "not sent" of one that may have been."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import struct
import subprocess
import sys
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.wechat.transport import (
    MAX_ANSWER_BYTES,
    NoAnswer,
    NotSent,
    TimeLimits,
    Transport,
    open_transport,
)

SECRET = "token-that-nobody-may-read"
HEAD = b"HTTP/1.1 200 OK\r\n"
PATIENT = TimeLimits(total_s=30, connect_s=30)
HASTY = TimeLimits(total_s=0.5, connect_s=30)
Server = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

ENDS_AT_ONCE = """
import asyncio
from bot.wechat.transport import NotSent, open_transport

async def main():
    async with open_transport() as transport:
        try:
            await transport.exchange("GET", "http://127.0.0.1:1", None)
        except NotSent:
            pass

asyncio.run(main())
"""


@pytest.fixture
async def transport() -> AsyncIterator[Transport]:
    async with open_transport(PATIENT) as transport:
        yield transport


@asynccontextmanager
async def serving(answer: Server, context: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """The address of a server that reads requests and does as told."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answer(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        scheme = "http" if context is None else "https"
        yield f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}/send?access_token={SECRET}"
    finally:
        server.close()


async def asked(reader: asyncio.StreamReader) -> bytes:
    """A request with its body."""
    head = await reader.readuntil(b"\r\n\r\n")
    _, _, length = head.lower().partition(b"content-length:")
    return head + await reader.readexactly(int(length.split(b"\r\n")[0]) if length else 0)


def saying(*parts: bytes, stays: bool = False) -> Server:
    """Says this and closes, or says no more."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asked(reader)
        writer.write(b"".join(parts))
        await writer.drain()
        if stays:
            await reader.read()

    return answer


async def resetting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asked(reader)
    connection: socket.socket = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


CUT_OFF = {
    "nothing": saying(),
    "reset": resetting,
    "silence": saying(stays=True),
    "no_http": saying(b"nonsense\r\n\r\n"),
    "half": saying(HEAD, b"Content-Length: 20\r\n\r\n{}"),
    "half_and_silence": saying(HEAD, b"Content-Length: 20\r\n\r\n{}", stays=True),
    "bad_chunk": saying(HEAD, b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"),
    "long": saying(HEAD, b"\r\n", b" " * (MAX_ANSWER_BYTES + 1)),
    "long_and_said": saying(HEAD, b"Content-Length: %d\r\n\r\n" % (2 * MAX_ANSWER_BYTES), b" " * 2 * MAX_ANSWER_BYTES),
}


class TestAnswers:
    async def test_status_and_body_come_as_they_are(self, transport: Transport) -> None:
        answer = saying(b"HTTP/1.1 503 Later\r\nContent-Length: 6\r\n\r\n", "坏".encode(), b"\xff\x00\x01")
        async with serving(answer) as url:
            assert await transport.exchange("POST", url, b"{}") == (503, "坏".encode() + b"\xff\x00\x01")

    async def test_a_body_in_pieces(self, transport: Transport) -> None:
        async with serving(saying(HEAD, b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n1\r\n \r\n0\r\n\r\n")) as url:
            assert await transport.exchange("GET", url, None) == (200, b"{} ")

    async def test_a_redirect_is_an_answer(self, transport: Transport) -> None:
        answer = saying(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/steal\r\nContent-Length: 0\r\n\r\n")
        async with serving(answer) as url:
            assert await transport.exchange("POST", url, b"{}") == (302, b"")

    async def test_nothing_packed_is_asked_for_and_nothing_is_unpacked(self, transport: Transport) -> None:
        requests: list[bytes] = []

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            requests.append(await asked(reader))
            writer.write(HEAD + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00")

        async with serving(answer) as url:
            assert (await transport.exchange("POST", url, b'{"a":1}')).content == b"\x1f\x8b\x08\x00"
        head = requests[0].lower()
        assert b"accept-encoding" not in head
        assert b"content-type: application/json; charset=utf-8" in head
        assert requests[0].endswith(b'\r\n\r\n{"a":1}')

    async def test_a_connection_is_kept_and_one_that_was_closed_is_not_used(self, transport: Transport) -> None:
        connections = 0

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal connections
            connections += 1
            for _ in range(2):
                await asked(reader)
                writer.write(HEAD + b"Content-Length: 2\r\n\r\n{}")

        async with serving(answer) as url:
            for _ in range(2):
                await transport.exchange("POST", url, b"{}")
            assert connections == 1
            # The server is done with it: that is seen when the end of the connection has been read.
            while connections == 1:
                try:
                    await transport.exchange("POST", url, b"{}")
                except NoAnswer:
                    continue
            assert connections == 2

    async def test_the_proxies_of_the_environment_are_not_used(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:1")
        async with open_transport(PATIENT) as transport, serving(saying(HEAD, b"Content-Length: 2\r\n\r\n{}")) as url:
            assert await transport.exchange("GET", url, None) == (200, b"{}")


class TestFaults:
    @pytest.mark.parametrize("case", CUT_OFF)
    async def test_what_was_sent_is_never_said_not_to_be(self, case: str, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        requests = 0

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal requests
            requests += 1
            await CUT_OFF[case](reader, writer)

        limits = HASTY if "silence" in case else PATIENT
        async with open_transport(limits) as transport, serving(answer) as url:
            with pytest.raises(NoAnswer) as caught:
                await transport.exchange("POST", url, b"{}")
        assert requests == 1
        assert SECRET not in f"{caught.value!r} {caplog.text}"
        assert SECRET not in "".join(traceback.format_exception(caught.value))

    async def test_nobody_there(
        self, transport: Transport, unused_tcp_port: int, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        with pytest.raises(NotSent) as caught:
            await transport.exchange("POST", f"http://127.0.0.1:{unused_tcp_port}/?access_token={SECRET}", b"{}")
        assert SECRET not in f"{caught.value!r} {caplog.text}"
        assert SECRET not in "".join(traceback.format_exception(caught.value))

    async def test_no_address(self, transport: Transport) -> None:
        with pytest.raises(NotSent):
            await transport.exchange("POST", f"nonsense {SECRET}", b"{}")

    async def test_a_connection_that_does_not_come_about_in_time(self) -> None:
        """The other side takes the connection and says nothing of its certificate."""
        limits = TimeLimits(total_s=30, connect_s=0.2)
        async with open_transport(limits) as transport, serving(saying(stays=True)) as url:
            with pytest.raises(NotSent):
                await transport.exchange("POST", url.replace("http:", "https:"), b"{}")

    async def test_time_that_ends_while_a_connection_is_made_leaves_it_open(self) -> None:
        async with open_transport(HASTY) as transport, serving(saying(stays=True)) as url:
            with pytest.raises(NoAnswer):
                await transport.exchange("POST", url.replace("http:", "https:"), b"{}")


class TestTrust:
    async def test_a_certificate_of_nobody_known_gets_no_request(self, transport: Transport, tmp_path: Path) -> None:
        requests = 0

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal requests
            requests += 1

        async with serving(answer, self_signed(tmp_path)) as url:
            with pytest.raises(NotSent):
                await transport.exchange("POST", url, b"{}")
        assert requests == 0

    async def test_a_certificate_the_machine_trusts(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        context = self_signed(tmp_path)
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "own.pem"))
        answer = saying(HEAD, b"Content-Length: 2\r\n\r\n{}")
        async with open_transport(PATIENT) as transport, serving(answer, context) as url:
            assert await transport.exchange("POST", url, b"{}") == (200, b"{}")

    async def test_a_machine_without_roots(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
        monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
        async with open_transport(PATIENT) as transport, serving(saying(HEAD, b"Content-Length: 2\r\n\r\n{}")) as url:
            assert await transport.exchange("GET", url, None) == (200, b"{}")


def self_signed(folder: Path) -> ssl.SSLContext:
    """A certificate for this machine's own address, signed by itself; both are written to `own.pem`."""
    from datetime import UTC, datetime, timedelta
    from ipaddress import IPv4Address

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = folder / "own.pem"
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


def test_a_process_that_ends_at_once_ends_well() -> None:
    """The thread of the library may still hold the interpreter when the last answer is there."""
    some = [subprocess.Popen([sys.executable, "-c", ENDS_AT_ONCE]) for _ in range(3)]
    assert [process.wait(30) for process in some] == [0, 0, 0]
