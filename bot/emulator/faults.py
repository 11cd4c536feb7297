"""Refusals of the emulated API, and troubles it can be told to make."""

import random
from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

EVERY_PATH: Final = "*"

TEXTS: Final = {
    -1: "system error",
    40001: "invalid credential, access_token is invalid or not latest",
    40002: "invalid grant_type",
    40003: "invalid openid",
    40007: "invalid media_id",
    40008: "invalid message type",
    40013: "invalid appid",
    40014: "invalid access_token",
    40016: "invalid button size",
    40017: "invalid button type",
    40018: "invalid button name size",
    40019: "invalid button key size",
    40020: "invalid button url size",
    40022: "invalid sub button level",
    40023: "invalid sub button size",
    40024: "invalid sub button type",
    40025: "invalid sub button name size",
    40026: "invalid sub button key size",
    40027: "invalid sub button url size",
    40029: "invalid code",
    40032: "invalid openid list size",
    40033: "invalid charset. please check your request, if include \\uxxxx will create fail!",
    40037: "invalid template_id",
    40052: "invalid action name",
    40053: "invalid action info",
    40054: "invalid sub button url domain",
    40055: "invalid button url domain",
    40097: "invalid args",
    40125: "invalid appsecret",
    40130: "invalid openid list size, at least two openid",
    40163: "code been used",
    40226: "code blocked",
    40241: "duplicate message",
    40243: "appsecret is frozen",
    40250: "invalid content",
    40252: "part of the content is under review",
    41001: "access_token missing",
    41002: "appid missing",
    41004: "appsecret missing",
    41008: "missing code",
    41030: "invalid page",
    42001: "access_token expired",
    43001: "require GET method",
    43002: "require POST method",
    43004: "require subscribe",
    43019: "require remove blacklist",
    43101: "user refuse to accept the msg",
    44002: "empty post data",
    44004: "empty content",
    45002: "content size out of limit",
    45009: "reach max api daily quota limit",
    45011: "api minute-quota reach limit, must slower, retry next minute",
    45015: "response out of time limit or subscription is canceled",
    45028: "has no masssend quota",
    45047: "out of response count limit",
    45064: "no permission to use weapp in menu",
    45065: "clientmsgid exist",
    45067: "clientmsgid size out of limit",
    45072: "invalid command",
    45080: "no message in the last 30 seconds",
    45081: "typing already",
    45159: "invalid tag id",
    46003: "menu no exist",
    47001: "data format error",
    47003: "argument invalid!",
    48001: "api unauthorized",
    48002: "user switched off receiving",
    48006: "forbid to clear quota because of reaching the limit",
    48008: "no permission for this msgtype",
    76021: "cgi_path not found, please check",
    76022: "could not use this cgi_path, no permission",
}


class ApiRefusal(Exception):
    """The emulated platform says no: an errcode, its text, and what else the answer tells."""

    def __init__(self, errcode: int, text: str = "", **fields: object) -> None:
        self.errcode = errcode
        self.fields = fields
        self.text = text or TEXTS.get(errcode, "error")
        super().__init__(f"{errcode} {self.text}")


class Trouble(StrEnum):
    """What can be made to go wrong with a call."""

    ERRCODE = "errcode"
    HTTP_500 = "http_500"
    DROPPED = "dropped"  # the connection breaks before anything took effect
    LOST = "lost"  # the call takes effect, then the connection breaks
    DELAY = "delay"
    REVIEW = "review"  # the call takes effect, and is answered with 40252
    JOB_FAILED = "job_failed"  # the call is taken, but the message never arrives, as an event tells later


@dataclass(slots=True)
class Plan:
    """One trouble: for the next `times` calls (None: for ever), each with the probability `share`."""

    trouble: Trouble
    errcode: int = 0
    seconds: float = 0.0
    times: int | None = 1
    share: float = 1.0


class Troubles:
    """The troubles planned, by path."""

    def __init__(self, seed: int = 1) -> None:
        self._plans: defaultdict[str, list[Plan]] = defaultdict(list)
        self._dice = random.Random(seed)  # noqa: S311 - reproducible on purpose

    def fail(self, path: str, errcode: int, *, times: int | None = 1, share: float = 1.0) -> None:
        """Calls of `path` answer `errcode`."""
        self._plans[path].append(Plan(Trouble.ERRCODE, errcode=errcode, times=times, share=share))

    def break_server(self, path: str, *, times: int | None = 1, share: float = 1.0) -> None:
        """Calls of `path` answer HTTP 500 with a page instead of JSON."""
        self._plans[path].append(Plan(Trouble.HTTP_500, times=times, share=share))

    def drop(self, path: str, *, times: int | None = 1, share: float = 1.0) -> None:
        """The connection of calls to `path` breaks before they take effect."""
        self._plans[path].append(Plan(Trouble.DROPPED, times=times, share=share))

    def lose(self, path: str, *, times: int | None = 1, share: float = 1.0) -> None:
        """Calls of `path` take effect, but their answer never arrives."""
        self._plans[path].append(Plan(Trouble.LOST, times=times, share=share))

    def delay(self, path: str, seconds: float, *, times: int | None = 1, share: float = 1.0) -> None:
        """Calls of `path` are answered `seconds` later."""
        self._plans[path].append(Plan(Trouble.DELAY, seconds=seconds, times=times, share=share))

    def review(self, path: str, *, times: int | None = 1, share: float = 1.0) -> None:
        """Calls of `path` take effect although they answer 40252."""
        self._plans[path].append(Plan(Trouble.REVIEW, errcode=40252, times=times, share=share))

    def fail_jobs(self, path: str, *, times: int | None = 1, share: float = 1.0) -> None:
        """Messages sent by `path` are taken and never arrive."""
        self._plans[path].append(Plan(Trouble.JOB_FAILED, times=times, share=share))

    def clear(self) -> None:
        """Forgets every plan."""
        self._plans.clear()

    def draw(self, path: str) -> list[Plan]:
        """The troubles that befall a call of `path` now."""
        drawn = [plan for key in (path, EVERY_PATH) for plan in self._plans.get(key, ()) if self._strikes(plan)]
        for plan in drawn:
            if plan.times is not None:
                plan.times -= 1
        for plans in self._plans.values():
            plans[:] = [plan for plan in plans if plan.times is None or plan.times > 0]
        return drawn

    def _strikes(self, plan: Plan) -> bool:
        return plan.share >= 1.0 or self._dice.random() < plan.share
