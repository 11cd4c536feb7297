"""The documented test vector and builders of messages as WeChat sends them."""

from datetime import UTC, datetime

from bot.emulator.platform import AccountKeys
from bot.emulator.wire import XmlValue, to_xml
from bot.wechat.crypto import CallbackKeys, Mode

# wechat-contract.md §1.4
TOKEN = "schooltoken2026"
TIMESTAMP = "1763683200"
NONCE = "1320562132"
APP_ID = "wx0123456789abcdef"
AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
SIGNATURE = "eff86183fb71e05c0070cf5efb7ab45b31623ad8"
AT = datetime.fromtimestamp(int(TIMESTAMP), UTC)
ACCOUNT = "gh_emulator0001"
OPENID = "oEMU0000000000000000000000A1"
XML = (
    "<xml><ToUserName><![CDATA[gh_emulator0001]]></ToUserName>"
    "<FromUserName><![CDATA[oEMU0000000000000000000000A1]]></FromUserName><CreateTime>1763683200</CreateTime>"
    "<MsgType><![CDATA[text]]></MsgType><Content><![CDATA[你好]]></Content><MsgId>24000000000000001</MsgId></xml>"
)
ENCRYPT = (
    "Q3stYC6hdFzMh9T8HCvyDFYqp+WRA4JhXTSMyMJMcetdiNVcMrNQ+2F56y/mfUu3SxbR6qRaIb4M+qrlUcpFNKmFdEghpp377sqRATkcoks8ZTT8"
    "vpidOFM165BCCd3xn3b9T8v/Vgj2VhfUkt7hCQcT6GHYBaExN2AVWYvZLgTfAXA8PScaNJVXOHVuR9TUtm5aCWAqORLSkbixnT5E2zhjt+ASaHA8"
    "0kv7P1s1sdmZUvWGVFiJZWOY8hykEsNixAgooZu/kW5qfRU4nqFv2Ie/RR6ZCCrufnOaEql7m6jVWt2itfQiXpFFtetpjzo5N5DC63AdGKm2QdES"
    "26fje5mm3QAjl+GFgQkZwkx8r3kG2WD6P+HVm0MsavTdNt+JHHDeJKk52SzXLGsHuj2NET952wn6tGp4aQD2zMPkM28="
)
MSG_SIGNATURE = "ae2b6925ac350c0c09fbe52f3b9551466eae15e6"
QUERY = {
    "signature": SIGNATURE,
    "timestamp": TIMESTAMP,
    "nonce": NONCE,
    "openid": OPENID,
    "encrypt_type": "aes",
    "msg_signature": MSG_SIGNATURE,
}
PUSH = f"<xml><ToUserName><![CDATA[{ACCOUNT}]]></ToUserName><Encrypt><![CDATA[{ENCRYPT}]]></Encrypt></xml>".encode()


def callback_keys(mode: Mode, *, app_id: str = APP_ID, token: str = TOKEN) -> CallbackKeys:
    """What the product knows of the vector's account."""
    return CallbackKeys(app_id=app_id, token=token, encoding_aes_key="" if mode is Mode.PLAIN else AES_KEY, mode=mode)


def account_keys(mode: Mode, *, app_id: str = APP_ID, token: str = TOKEN) -> AccountKeys:
    """What the emulated platform knows of the same account."""
    return AccountKeys(
        app_id=app_id,
        app_secret="0123456789abcdef0123456789abcdef",
        token=token,
        encoding_aes_key=AES_KEY,
        mode=mode.value,
        original_id=ACCOUNT,
    )


def message(kind: str, **fields: XmlValue) -> bytes:
    """A message of the vector's person."""
    head: dict[str, XmlValue] = {
        "ToUserName": ACCOUNT,
        "FromUserName": OPENID,
        "CreateTime": int(TIMESTAMP),
        "MsgType": kind,
    }
    return to_xml({**head, **fields}).encode("utf-8", "replace")


def event(name: str, **fields: XmlValue) -> bytes:
    """An event of the vector's person."""
    return message("event", Event=name, **fields)
