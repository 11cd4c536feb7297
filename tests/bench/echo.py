"""The baseline: aiohttp and wechatpy, and nothing behind them. `python -m tests.bench.echo PORT plain|safe`."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable

from aiohttp import web
from wechatpy import create_reply, parse_message
from wechatpy.crypto import WeChatCrypto
from wechatpy.exceptions import InvalidSignatureException
from wechatpy.utils import check_signature

from tests.settings import MINIMAL

ACCOUNT = MINIMAL["wechat"]

Handler = Callable[[web.Request], Awaitable[web.Response]]


async def plain(request: web.Request) -> web.Response:
    """Says what was said, in plaintext mode."""
    query = request.query
    try:
        check_signature(ACCOUNT["token"], query["signature"], query["timestamp"], query["nonce"])
    except InvalidSignatureException:
        return web.Response(status=403)
    message = parse_message(await request.read())
    return web.Response(text=create_reply(message.content, message).render(), content_type="text/xml")


def safe() -> Handler:
    """Says what was said, in safe mode."""
    crypto = WeChatCrypto(ACCOUNT["token"], ACCOUNT["encoding_aes_key"], ACCOUNT["app_id"])

    async def handle(request: web.Request) -> web.Response:
        query = request.query
        signed = query["msg_signature"], query["timestamp"], query["nonce"]
        try:
            xml = crypto.decrypt_message(await request.read(), *signed)
        except InvalidSignatureException:
            return web.Response(status=403)
        message = parse_message(xml)
        reply = create_reply(message.content, message).render()
        sealed = crypto.encrypt_message(reply, query["nonce"], query["timestamp"])
        return web.Response(text=sealed, content_type="text/xml")

    return handle


def main(port: str, mode: str) -> None:
    """Serves until it is told to stop."""
    app = web.Application()
    app.router.add_post("/wechat", plain if mode == "plain" else safe())
    web.run_app(app, host="127.0.0.1", port=int(port), access_log=None, print=None)


if __name__ == "__main__":
    main(*sys.argv[1:])
