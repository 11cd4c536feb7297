"""Parametric QR codes of a 服务号: made by the API, scanned by phones, over after their time."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from bot.clock import Clock
from bot.emulator.faults import ApiRefusal

LONGEST_S: Final = 2_592_000
DEFAULT_S: Final = 60
PERMANENT: Final = 100_000
"""How many permanent codes an account may have."""
_ADDRESS: Final = "http://weixin.qq.com/q/02"
_NUMBERED: Final = frozenset({"QR_SCENE", "QR_LIMIT_SCENE"})
_LASTING: Final = frozenset({"QR_LIMIT_SCENE", "QR_LIMIT_STR_SCENE"})
_KNOWN: Final = _NUMBERED | _LASTING | {"QR_STR_SCENE"}


class CodeOver(LookupError):
    """The phone says that the code is no code of ours, or is over."""


@dataclass(frozen=True, slots=True)
class ParametricCode:
    """One code. `url` is what the picture holds; `ends_at` None for a permanent one."""

    ticket: str
    url: str
    scene: str
    ends_at: datetime | None


class QrCodes:
    """The codes of one account."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._by_ticket: dict[str, ParametricCode] = {}
        self._by_url: dict[str, ParametricCode] = {}

    def create(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The answer of the API. Raises ApiRefusal 40052, 40053."""
        action = body.get("action_name")
        if action not in _KNOWN:
            raise ApiRefusal(40052)
        scene = _scene(action, body.get("action_info"))
        life_s = None if action in _LASTING else _life(body.get("expire_seconds", DEFAULT_S))
        if life_s is None and sum(code.ends_at is None for code in self._by_ticket.values()) >= PERMANENT:
            raise ApiRefusal(40053)
        ends_at = None if life_s is None else self._clock.now() + timedelta(seconds=life_s)
        code = ParametricCode("gQ" + secrets.token_urlsafe(60), _ADDRESS + secrets.token_urlsafe(18), scene, ends_at)
        self._by_ticket[code.ticket] = self._by_url[code.url] = code
        answer: dict[str, Any] = {"ticket": code.ticket, "url": code.url}
        return answer if life_s is None else {**answer, "expire_seconds": life_s}

    def scanned(self, content: str) -> ParametricCode:
        """The code a phone sees, by what its picture holds or by its ticket. Raises CodeOver."""
        code = self._by_url.get(content) or self._by_ticket.get(content)
        if code is None or (code.ends_at is not None and code.ends_at <= self._clock.now()):
            raise CodeOver(content)
        return code


def _scene(action: str, info: object) -> str:
    scene = info.get("scene") if isinstance(info, dict) else None
    if not isinstance(scene, dict):
        raise ApiRefusal(40053)
    if action in _NUMBERED:
        number = scene.get("scene_id")
        most = PERMANENT if action in _LASTING else 2**32 - 1
        if not isinstance(number, int) or not 1 <= number <= most:
            raise ApiRefusal(40053)
        return str(number)
    text = scene.get("scene_str")
    if not isinstance(text, str) or not 1 <= len(text) <= 64:
        raise ApiRefusal(40053)
    return text


def _life(seconds: object) -> int:
    if not isinstance(seconds, int) or not 1 <= seconds <= LONGEST_S:
        raise ApiRefusal(40053)
    return seconds
