"""A plan of offers: how far it has come, how its places are given out, and how it is settled."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from bot.errors import Conflict


class PlanState(StrEnum):
    """How far a plan has come."""

    DRAFT = "draft"
    PUBLISHED = "published"
    CLOSED = "closed"


class Selection(StrEnum):
    """Who gets the places when more want them than there are."""

    FIRST_COME = "first_come"
    DRAW = "draw"


class SettleBy(StrEnum):
    """Which lessons a family pays for in the end."""

    PLANNED = "planned"
    HELD = "held"
    ATTENDED = "attended"


class FeePayer(StrEnum):
    """Who pays for a place."""

    FAMILY = "family"
    PUBLIC = "public"


class PlanNotOpenToChange(Conflict):
    """What families have read can no longer be changed in this way."""

    code = "plan_published"
    default_message = "这份安排已经公布，这一项不能再改。需要调整的，请另发通知说明。"


class PlanChanged(Conflict):
    """Somebody else has changed it meanwhile."""

    code = "plan_changed"
    default_message = "这份安排刚被别人改过，请刷新后再改。"


class IllegalPlanMove(Conflict):
    """The plan is not in a state from which this follows."""

    code = "plan_state_conflict"
    default_message = "这份安排现在不能这样改，请刷新看最新的情况。"


PLAN_TRANSITIONS: Final[Mapping[PlanState, frozenset[PlanState]]] = {
    PlanState.DRAFT: frozenset({PlanState.PUBLISHED}),
    PlanState.PUBLISHED: frozenset({PlanState.CLOSED}),
    PlanState.CLOSED: frozenset(),
}


def advance_plan(state: PlanState, to: PlanState) -> PlanState:
    """`to`, if it may follow. Raises IllegalPlanMove."""
    if to not in PLAN_TRANSITIONS[state]:
        raise IllegalPlanMove(details={"from": state.value, "to": to.value})
    return to
