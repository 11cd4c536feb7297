"""Kinds and states of the list of calls and slips of paper. No I/O."""

from __future__ import annotations

from enum import StrEnum

from bot.errors import Conflict, InvalidInput


class Way(StrEnum):
    """How somebody was told whom no message reached."""

    PHONE = "phone"
    PAPER = "paper"
    IN_PERSON = "in_person"


class LineState(StrEnum):
    """How far a line of the list is."""

    OPEN = "open"
    TOLD = "told"
    REACHED = "reached"
    """A message reached somebody else of the family in the meantime."""
    NOT_NEEDED = "not_needed"
    """There is nothing to be told any more."""


class WayUnknown(InvalidInput):
    """None of the ways somebody can be told."""

    code = "way_unknown"
    default_message = "请选好是怎么告知的（电话、纸条或当面），再登记。"


class AlreadyTicked(Conflict):
    """Somebody else was first; `details` names how."""

    code = "already_ticked"
    default_message = "这一条已经有人登记过了，不用再登记。"


class NotTicked(Conflict):
    """Nobody has ticked it, or somebody took that back."""

    code = "not_ticked"
    default_message = "这一条现在没有登记告知，不用撤销。请刷新页面看最新情况。"


class AlreadyDecided(Conflict):
    """The delivery is not in doubt any more: somebody decided, or the platform told."""

    code = "already_decided"
    default_message = "这条消息已经有结果了，请刷新页面看最新情况。"
