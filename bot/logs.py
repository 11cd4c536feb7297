"""Structured logs: one JSON object a line on standard error, with what identifies a person taken out.

Use: `log = get_logger(__name__)`, then `log.info("menu_synced", buttons=3)`. The first word names the event, everything
else is a field. Records of libraries go through the same formatter, so they are redacted too.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final, TextIO

from pydantic_core import PydanticSerializationError, to_json

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
_context: ContextVar[Mapping[str, object]] = ContextVar("log_context", default={})  # noqa: B039 - never changed in place

MASK = "***"
# Fields whose value is about a person, or a secret, whatever it looks like.
# fmt: off
PRIVATE_FIELDS = frozenset({
    "access_token", "address", "app_secret", "authorization", "birthday", "child", "child_name", "content",
    "cookie", "encoding_aes_key", "from_user", "guardian", "guardian_name", "headimgurl", "id_card",
    "id_number", "js_code", "mobile", "name", "nickname", "openid", "password", "phone", "question",
    "real_name", "recipient", "secret", "session_key", "student", "student_name", "teacher", "teacher_name",
    "text", "token", "touser", "unionid", "url",
})
# fmt: on
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"((?:access_token|appsecret|secret|js_code|code|session_key)=)[^&\s\"']+", re.I), r"\1" + MASK),
    (re.compile(r"([a-z][a-z0-9+.-]*://[^:/@\s]*:)[^@\s]+@", re.I), r"\1" + MASK + "@"),
    (re.compile(r"(?<![A-Za-z0-9_-])(?:mp_)?demo_[a-z]{1,2}_\d+"), "<openid>"),
    (re.compile(r"(?<![A-Za-z0-9_-])o[A-Za-z0-9_-]{27}(?![A-Za-z0-9_-])"), "<openid>"),
    (re.compile(r"(?<!\d)[1-9]\d{16}[\dXx](?![\dXx])"), "<id-number>"),
    (re.compile(r"(?<!\d)1[3-9]\d(?:[- ]?\d{4}){2}(?!\d)"), "<phone>"),
)

# Errors of the drivers and of validation quote the values they stumbled over, names among them: up to the next part of
# the traceback.
_QUOTED: Final = re.compile(
    r"^(\W*(?:asyncpg|sqlite3|tortoise|pydantic\w*)\.[\w.]+): .*?(?=\n\s*\n|\n\W*Traceback|\Z)", re.M | re.S
)
_SHORT: Final = 64
_NUMBERS: Final = (bool, int, float)


def redact_text(text: str) -> str:
    """The text without openids, phone numbers, ID numbers, passwords in addresses and tokens in queries."""
    # Most of what is logged is one of few short texts: event names, methods, paths.
    return _redacted_short(text) if len(text) <= _SHORT else _redacted(text)


def _redacted(text: str) -> str:
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


_redacted_short = lru_cache(maxsize=1024)(_redacted)


def redact(value: object, field: str = "") -> object:
    """A copy of a value fit for the log. Unknown objects become their redacted `str`."""
    if value is None:
        return None
    if field.lower() in PRIVATE_FIELDS:
        return MASK
    if type(value) is str:
        return redact_text(value)
    if isinstance(value, _NUMBERS):
        return value if not isinstance(value, int) or abs(value) < 10**10 else redact_text(str(value))
    if isinstance(value, Mapping):
        return {str(key): redact(item, str(key)) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [redact(item) for item in value]
    return redact_text(str(value))


class JsonFormatter(logging.Formatter):
    """One line a record: time (UTC), level, logger, event, context, fields, and the traceback if there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON without a line break inside."""
        entry: dict[str, object] = {
            "time": _moment(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": redact_text(record.getMessage()),
        }
        current = request_id.get()
        if current is not None:
            entry["request_id"] = current
        for fields in (_context.get(), getattr(record, "fields", {})):
            for key, value in fields.items():
                entry[key] = redact(value, key)
        if record.exc_info:
            entry["exception"] = redact_text(_QUOTED.sub(rf"\1: {MASK}", self.formatException(record.exc_info)))
        return _json(entry)


def _moment(created: float) -> str:
    second, fraction = divmod(int(created * 1000), 1000)
    return f"{_second(second)}.{fraction:03d}+00:00"


@lru_cache(maxsize=2)
def _second(second: int) -> str:
    """Many lines share one."""
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _json(entry: Mapping[str, object]) -> str:
    try:
        # Five times as fast as Python's own, with every request.
        return to_json(entry).decode()
    except PydanticSerializationError:
        # Half of a pair of surrogates, say: no text that could be encoded.
        return json.dumps(entry)


class _Record(logging.LogRecord):
    """A record as the handlers take it. Made by `logging`, it would take longer than being written: where in the source
    it was made, by which thread of which process, is printed by nobody."""

    def __init__(self, name: str, level: int, event: str, fields: Mapping[str, object], fault: Any) -> None:
        # Instead of the constructor of `logging`.
        self.__dict__.update(_BLANK)
        self.name, self.levelno, self.levelname = name, level, logging.getLevelName(level)
        # Without arguments the event is never taken for a format, whatever it holds.
        self.msg, self.fields, self.exc_info = event, fields, fault
        self.created = time.time()
        self.msecs = self.created % 1 * 1000


_BLANK: Final = vars(logging.LogRecord("", logging.NOTSET, "", 0, "", (), None))


class Log:
    """What modules write to: an event name and its fields."""

    __slots__ = ("_logger",)

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger

    def debug(self, event: str, **fields: object) -> None:
        """Of interest while developing only."""
        self._write(logging.DEBUG, event, fields)

    def info(self, event: str, **fields: object) -> None:
        """Something took its course."""
        self._write(logging.INFO, event, fields)

    def warning(self, event: str, **fields: object) -> None:
        """Works, but somebody should look."""
        self._write(logging.WARNING, event, fields)

    def error(self, event: str, **fields: object) -> None:
        """Something promised was not done."""
        self._write(logging.ERROR, event, fields)

    def exception(self, event: str, **fields: object) -> None:
        """As `error`, with the traceback of the exception being handled."""
        self._write(logging.ERROR, event, fields, with_traceback=True)

    def _write(self, level: int, event: str, fields: Mapping[str, object], *, with_traceback: bool = False) -> None:
        if self._logger.isEnabledFor(level):
            fault = sys.exc_info() if with_traceback else None
            self._logger.handle(_Record(self._logger.name, level, event, fields, fault))


def get_logger(name: str) -> Log:
    """The log of a module; pass `__name__`."""
    return Log(logging.getLogger(name))


@contextmanager
def log_context(**fields: object) -> Iterator[None]:
    """Adds fields to every record written inside the block, also in tasks created there."""
    token = _context.set({**_context.get(), **fields})
    try:
        yield
    finally:
        _context.reset(token)


def configure_logs(level: str = "INFO", stream: TextIO | None = None) -> None:
    """Sends all records of the process through the JSON formatter. Called once, by whoever owns the process."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # Their INFO is one line a tick or a connection; ours says the same with the names of our jobs.
    for noisy in ("apscheduler", "tortoise", "aiosqlite", "asyncio", "jieba"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
