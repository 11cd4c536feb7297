"""The templates that both emulated accounts have chosen in their consoles: one of each kind for each purpose.

`FIELDS` says what stands behind each key; demo and tests configure the product by `template_id` and `slots`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

_NUMBER: Final = re.compile(r"\d+$")
# By purpose: each key with its label, and the meaning the product calls a slot.
FIELDS: Final[Mapping[str, tuple[tuple[str, str, str], ...]]] = {
    "notice": (
        ("thing1", "通知事项", "subject"),
        ("time2", "时间", "when"),
        ("thing3", "发布人", "sender"),
        ("thing4", "备注", "note"),
    ),
    "reminder": (("thing1", "提醒事项", "subject"), ("time2", "时间", "when"), ("thing3", "备注", "note")),
    "result": (("thing1", "办理事项", "subject"), ("thing2", "办理结果", "note"), ("time3", "办理时间", "when")),
    "task": (("thing1", "任务名称", "subject"), ("time2", "截止时间", "when"), ("thing3", "备注", "note")),
    "alarm": (("thing1", "情况", "subject"), ("time2", "发生时间", "when"), ("thing3", "处理办法", "note")),
}
_TITLES: Final = {
    "notice": "学校通知",
    "reminder": "日程提醒",
    "result": "办理结果通知",
    "task": "待办任务提醒",
    "alarm": "紧急情况提醒",
}


class TemplateKind(StrEnum):
    """How a template may be used."""

    TEMPLATE = "template"
    """A template message: to followers, at any time."""
    ONE_TIME = "one_time"
    """订阅: one message for each time it was accepted."""
    LONG_TERM = "long_term"
    """订阅: as many as one likes once it was accepted."""


@dataclass(frozen=True, slots=True)
class Template:
    """One template of one account. `fields`: keys and their labels, in the order they are shown."""

    id: str
    title: str
    kind: TemplateKind
    fields: tuple[tuple[str, str], ...]

    @property
    def content(self) -> str:
        """As the console and the API print it."""
        return "\n".join(f"{label}：{{{{{key}.DATA}}}}" for key, label in self.fields)

    @property
    def is_subscription(self) -> bool:
        """Whether its reader has to accept it."""
        return self.kind is not TemplateKind.TEMPLATE


def type_of(key: str) -> str:
    """The type of a key: `thing` of `thing12`."""
    return _NUMBER.sub("", key)


def slots(purpose: str) -> dict[str, str]:
    """The keys of a purpose's templates by what they mean: subject, when, sender, note."""
    return {slot: key for key, _, slot in FIELDS[purpose]}


def template_id(purpose: str) -> str:
    """The template message of the 服务号 for a purpose."""
    return f"emu-template-{purpose}"


def subscription_notice_id(purpose: str, *, is_long_term: bool = False) -> str:
    """The 订阅通知 of the 服务号 for a purpose."""
    return f"emu-subscription-{purpose}" + ("-long" if is_long_term else "")


def mini_program_id(purpose: str, *, is_long_term: bool = False) -> str:
    """The 订阅消息 of the mini-program for a purpose."""
    return f"emu-mini-{purpose}" + ("-long" if is_long_term else "")


def _template(identifier: str, purpose: str, kind: TemplateKind) -> Template:
    return Template(identifier, _TITLES[purpose], kind, tuple((key, label) for key, label, _ in FIELDS[purpose]))


OF_SERVICE_ACCOUNT: Final = (
    *(_template(template_id(each), each, TemplateKind.TEMPLATE) for each in FIELDS),
    *(_template(subscription_notice_id(each), each, TemplateKind.ONE_TIME) for each in FIELDS),
    *(_template(subscription_notice_id(each, is_long_term=True), each, TemplateKind.LONG_TERM) for each in FIELDS),
)
OF_MINI_PROGRAM: Final = (
    *(_template(mini_program_id(each), each, TemplateKind.ONE_TIME) for each in FIELDS),
    *(_template(mini_program_id(each, is_long_term=True), each, TemplateKind.LONG_TERM) for each in FIELDS),
)
