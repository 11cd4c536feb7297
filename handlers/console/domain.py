"""Rules of logging in: one-time codes, locks, passwords, and how far a scan has come. No I/O: moments are arguments."""

from __future__ import annotations

import base64
import hmac
import secrets
import struct
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from urllib.parse import quote, urlencode

from bot.errors import Conflict, InvalidInput, NotFound

MOST_FAILURES: Final = 5
LOCKED_FOR: Final = timedelta(minutes=15)
STEP_LIFE: Final = timedelta(minutes=10)
"""How long the second factor is waited for once the password was right."""
TICKET_LIFE: Final = timedelta(minutes=3)
SCENE: Final = "l_"
"""What the scene of a log-in's QR code begins with; the ticket follows."""

LEAST_PASSWORD: Final = 10
MOST_PASSWORD: Final = 128
_STEP_S: Final = 30
_DIGITS: Final = 6
_SECRET_BYTES: Final = 20
_ISSUER: Final = "乡校后台"


class LoginRefused(InvalidInput):
    """The name, the password or the code is wrong, or the account is locked: one answer for all, or it would tell which
    names exist."""

    code = "login_refused"
    default_message = "登录名、密码或验证码不对；连续输错5次会锁定15分钟。请核对后再试，或者用微信扫码登录。"


class StepOver(InvalidInput):
    """Too much time passed between the password and the code."""

    code = "step_over"
    default_message = "等得太久了，请重新输入登录名和密码。"


class TicketOver(NotFound):
    """A code to scan has run out, was used, or is of another browser."""

    code = "ticket_over"
    default_message = "二维码已经失效，请在网页上换一个再扫。"


class TicketTaken(Conflict):
    """Somebody else has scanned the code."""

    code = "ticket_taken"
    default_message = "这个二维码已经被别人扫过，请在网页上换一个再扫。"


class WeakPassword(InvalidInput):
    """A password that is easily guessed."""

    code = "weak_password"
    default_message = f"密码至少{LEAST_PASSWORD}个字，不能全是数字，也不能包含登录名，请换一个。"


class LoginTaken(Conflict):
    """Somebody else logs in under this name."""

    code = "login_taken"
    default_message = "这个登录名已经有人用了，请换一个。"


class BadLogin(InvalidInput):
    """A name nobody can log in with."""

    code = "bad_login"
    default_message = "登录名要3到32个字母、数字、点、横线或下划线，请改正后再试。"


class TicketState(StrEnum):
    """How far a log-in by scanning has come."""

    NEW = "new"
    SEEN = "seen"
    CONFIRMED = "confirmed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Ticket:
    """A log-in by scanning. `browser` is where it began, `number` what both sides show, `image` what the QR code says;
    `scanned_by` the blind index of the WeChat id, `person_id` whose log-in it is once confirmed."""

    id: str
    browser: str
    number: str
    image: str
    state: TicketState = TicketState.NEW
    scanned_by: str = ""
    person_id: str = ""
    identity_id: str = ""


# ---------------------------------------------------------------------------------------------------- one-time codes
def new_totp_secret() -> str:
    """A secret for an authenticator, in base32."""
    return base64.b32encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def time_step(at: datetime) -> int:
    """Half minutes since 1970."""
    return int(at.timestamp()) // _STEP_S


def totp_code(secret: str, step: int) -> str:
    """The code of one half minute (RFC 6238 with SHA-1, as every authenticator has it)."""
    digest = hmac.digest(base64.b32decode(secret), struct.pack(">Q", step), "sha1")
    start = digest[-1] & 0x0F
    number = struct.unpack(">I", digest[start : start + 4])[0] & 0x7FFFFFFF
    return f"{number % 10**_DIGITS:0{_DIGITS}d}"


def matching_step(secret: str, code: str, at: datetime, last: int | None) -> int | None:
    """The half minute whose code this is: now, or one to either side for clocks that differ. None when it is none, or
    not later than the last one that was taken."""
    plain = "".join(code.split())
    if len(plain) != _DIGITS or not plain.isascii() or not plain.isdigit():
        return None
    now = time_step(at)
    for step in (now - 1, now, now + 1):
        is_fresh = last is None or step > last
        if is_fresh and hmac.compare_digest(totp_code(secret, step), plain):
            return step
    return None


def totp_address(secret: str, login: str) -> str:
    """What an authenticator reads from a QR code."""
    query = urlencode({"secret": secret, "issuer": _ISSUER, "digits": _DIGITS, "period": _STEP_S})
    return f"otpauth://totp/{quote(_ISSUER)}:{quote(login)}?{query}"


# ------------------------------------------------------------------------------------------------ names and passwords
def checked_login(login: str) -> str:
    """The name in the form it is kept in. Raises BadLogin."""
    plain = login.strip().lower()
    allowed = all(character.isascii() and (character.isalnum() or character in "._-") for character in plain)
    if not 3 <= len(plain) <= 32 or not allowed:
        raise BadLogin
    return plain


def check_password(password: str, login: str) -> None:
    """Raises WeakPassword."""
    has_length = LEAST_PASSWORD <= len(password) <= MOST_PASSWORD
    if not has_length or password.isdecimal() or len(set(password)) < 4 or login.lower() in password.lower():
        raise WeakPassword


def locked_after(failures: int, at: datetime) -> datetime | None:
    """Until when the account is locked after this many failures in a row; None while it is not."""
    return at + LOCKED_FOR if failures >= MOST_FAILURES else None


# ------------------------------------------------------------------------------------------------------------- devices
_SYSTEMS: Final = (
    ("Windows", "Windows 电脑"),
    ("iPhone", "苹果手机"),
    ("iPad", "苹果平板"),
    ("Android", "安卓手机"),
    ("HarmonyOS", "鸿蒙手机"),
    ("Mac OS", "苹果电脑"),
    ("Linux", "Linux 电脑"),
)
_BROWSERS: Final = (
    ("MicroMessenger", "微信"),
    ("Edg/", "Edge"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)


def device_in_words(agent: str) -> str:
    """What a browser says of itself, as its owner would call it."""
    system = next((words for mark, words in _SYSTEMS if mark in agent), "其他设备")
    browser = next((words for mark, words in _BROWSERS if mark in agent), "浏览器")
    return f"{system}，{browser}"
