"""JSON in and out."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from bot.clock import to_local
from handlers.after_school.service.drawing.views import DrawTold
from handlers.after_school.service.drawing.wording import explanation
from handlers.after_school.service.views import EnrolmentView, ProgrammeView

ProgrammeStatusWord = Literal["upcoming", "open", "closed"]
EnrolmentStateWord = Literal[
    "draft", "submitted", "enrolled", "waitlisted", "offered", "declined", "withdrawn", "opted_out", "ended"
]
_ID_LENGTH = 64
_MOST_SIBLINGS = 6
_LONGEST_REASON = 200


class ProgrammeOut(BaseModel):
    """A course of the after-school service. `weekdays`: 1 Monday … 7 Sunday. `places`, `places_left` null: as many as
    come. `opens_at`, `closes_at`: for the child's grade. `selection`: `draw` is drawn after the window, `first_come` is
    given out at once. `enrolment`: the child's own sign-up, null for none."""

    id: str
    title: str
    weekdays: list[int]
    starts_at: str
    ends_at: str
    places: int | None
    places_left: int | None
    fee_fen: int
    fee_basis: Literal["free", "per_term", "per_lesson"]
    fee_clause: str
    complaint_phone: str
    opens_at: datetime
    closes_at: datetime
    status: ProgrammeStatusWord
    selection: Literal["first_come", "draw"]
    plan: str
    room: str
    pick_up_point: str
    enrolment: OwnEnrolmentOut | None


class OwnEnrolmentOut(BaseModel):
    """The child's sign-up for a course."""

    id: str
    status: EnrolmentStateWord


class ProgrammesOut(BaseModel):
    """The school's own courses before those of the township."""

    items: list[ProgrammeOut]
    next_cursor: str | None = None


class EnrolmentIn(BaseModel):
    """A child and the course it is to go to. `rank`: which choice it is where places are drawn, 1 the dearest."""

    model_config = ConfigDict(extra="forbid")

    student_id: str = Field(min_length=1, max_length=_ID_LENGTH)
    programme_id: str = Field(min_length=1, max_length=_ID_LENGTH)
    rank: int | None = Field(default=None, ge=1, le=9)


class SiblingsIn(BaseModel):
    """Siblings who come together or not at all."""

    model_config = ConfigDict(extra="forbid")

    members: list[SiblingIn] = Field(min_length=2, max_length=_MOST_SIBLINGS)


class SiblingIn(BaseModel):
    """One of them and its course."""

    model_config = ConfigDict(extra="forbid")

    student_id: str = Field(min_length=1, max_length=_ID_LENGTH)
    programme_id: str = Field(min_length=1, max_length=_ID_LENGTH)


class EnrolledOut(BaseModel):
    """What came of signing up. `position`: in the waiting list, from 1; null for whoever does not wait."""

    id: str
    status: Literal["enrolled", "waitlisted", "submitted"]
    position: int | None


class SiblingsOut(BaseModel):
    """One for each, in the order asked."""

    items: list[EnrolledOut]


class EnrolmentOut(BaseModel):
    """A sign-up. `position`: where it stands now; `offered_until`: until when a place is kept; `together_with`: the
    sign-ups of siblings it stands or falls with."""

    id: str
    student_id: str
    programme_id: str
    programme: str
    status: EnrolmentStateWord
    position: int | None
    offered_until: datetime | None
    rank: int | None
    together_with: list[str]


class DrawnChoiceOut(BaseModel):
    """What became of one choice. `rank`: 1 the dearest; `last_turn`: the turn of whoever took the last place."""

    rank: int
    programme: str
    outcome: Literal["got", "no_room", "not_needed", "clash", "gone"]
    last_turn: int | None


class DrawOut(BaseModel):
    """Why a draw came so for the child. `number`: HMAC-SHA256 of `key` under `seed`, both public after the draw, by
    which the turns follow; `explanation`: the rule and the choices in plain words."""

    held_at: datetime
    rule_version: int
    turn: int
    missed_before: bool
    choices: list[DrawnChoiceOut]
    seed: str
    key: str
    number: str
    explanation: list[str]


class EnrolmentWithDrawOut(EnrolmentOut):
    """One sign-up; `draw`: of the draw it was in, once that was held."""

    draw: DrawOut | None


class EnrolmentsOut(BaseModel):
    """Those that are alive, the oldest first."""

    items: list[EnrolmentOut]
    next_cursor: str | None = None


class EnrolmentStatusOut(BaseModel):
    """A sign-up and what it is now."""

    id: str
    status: EnrolmentStateWord


class OptOutIn(BaseModel):
    """The family does not want the service for a child; `reason` as they like."""

    model_config = ConfigDict(extra="forbid")

    student_id: str = Field(min_length=1, max_length=_ID_LENGTH)
    reason: str = Field(default="", max_length=_LONGEST_REASON)


class OptOutOut(BaseModel):
    """What has ended with it."""

    items: list[EnrolmentStatusOut]


def programme_out(view: ProgrammeView) -> ProgrammeOut:
    """As it goes over the wire."""
    own = None
    if view.enrolment_id is not None and view.enrolment_state is not None:
        own = OwnEnrolmentOut(id=view.enrolment_id, status=view.enrolment_state.value)
    return ProgrammeOut(
        id=view.id,
        title=view.title,
        weekdays=list(view.weekdays),
        starts_at=view.starts_at,
        ends_at=view.ends_at,
        places=view.places,
        places_left=view.places_left,
        fee_fen=view.fee_fen,
        fee_basis=view.fee_basis.value,
        fee_clause=view.fee_clause,
        complaint_phone=view.complaint_phone,
        opens_at=to_local(view.opens_at),
        closes_at=to_local(view.closes_at),
        status=view.status.value,
        selection=view.selection.value,
        plan=view.plan_title,
        room=view.room,
        pick_up_point=view.pick_up_point,
        enrolment=own,
    )


def enrolled_out(view: EnrolmentView) -> EnrolledOut:
    """As it goes over the wire."""
    return EnrolledOut.model_validate({"id": view.id, "status": view.state.value, "position": view.position})


def enrolment_out(view: EnrolmentView) -> EnrolmentOut:
    """As it goes over the wire."""
    return EnrolmentOut(
        id=view.id,
        student_id=view.child_id,
        programme_id=view.programme_id,
        programme=view.programme,
        status=view.state.value,
        position=view.position,
        offered_until=to_local(view.offered_until) if view.offered_until else None,
        rank=view.rank,
        together_with=list(view.together_with),
    )


def enrolment_with_draw_out(view: EnrolmentView, told: DrawTold | None) -> EnrolmentWithDrawOut:
    """As it goes over the wire."""
    draw = None
    if told is not None:
        draw = DrawOut(
            held_at=to_local(told.held_at),
            rule_version=told.rule_version,
            turn=told.turn,
            missed_before=told.missed_before,
            choices=[
                DrawnChoiceOut.model_validate(
                    {"rank": each.rank, "programme": each.programme, "outcome": each.end, "last_turn": each.last_turn}
                )
                for each in told.choices
            ],
            seed=told.seed,
            key=told.key,
            number=told.number,
            explanation=explanation(told),
        )
    return EnrolmentWithDrawOut(**enrolment_out(view).model_dump(), draw=draw)
