"""What could not be proved: filed, to wait for somebody at the school."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final
from uuid import UUID, uuid4

from bot.audit.log import Audit
from bot.clock import Clock, local_date
from bot.errors import LimitReached, NotFound
from bot.identity import SYSTEM, Actor
from bot.rights import Action, Subject
from bot.storage.base import blind_index
from handlers.accounts import texts
from handlers.accounts.domain import BindingState, PupilStatus, Relation, match_text, normalise_name
from handlers.accounts.models import BindingRequest, Invitation, Person, Pupil, School, WeChatIdentity
from handlers.accounts.service.bars import Candidate, bars_on, is_barred
from handlers.accounts.service.notices import BindingNotices
from handlers.accounts.service.ties import live_guardianships, subject_of

MAX_WAITING: Final = 3
MAX_A_DAY: Final = 5
KEPT_FOR: Final = timedelta(days=180)
GUARDIAN: Final = "guardian"
SAME_PERSON: Final = "same_person"
_HIDDEN: Final = BindingState.REJECTED
_LOOKED_AT: Final = 50


class TooManyRequests(LimitReached):
    """The asker has enough waiting, or has asked enough for one day."""

    code = "too_many_requests"
    default_message = texts.TOO_MANY_REQUESTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Plea:
    """What somebody says who cannot prove it."""

    child_name: str = field(repr=False)
    birth_date: date = field(repr=False)
    school_id: str
    relation: Relation
    name: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SchoolName:
    """A school to choose."""

    id: str
    name: str


class BindingRequests:
    """Files requests."""

    def __init__(self, clock: Clock, audit: Audit, notices: BindingNotices) -> None:
        self._clock = clock
        self._audit = audit
        self._notices = notices

    # -------------------------------------------------------------------------------------------------------- asking
    async def open_schools(self) -> list[SchoolName]:
        """The schools that could look for a child: for everybody to see."""
        rows = await School.filter(closed_on=None).order_by("name").values_list("id", "name")
        return [SchoolName(str(school_id), str(name)) for school_id, name in rows]

    async def plead(self, actor: Actor, identity: WeChatIdentity, plea: Plea) -> None:
        """Files a request, in the caller's transaction. The answer is the same whether the child is there, the asker
        is barred, or it was asked before: who asks learns nothing. Raises NotFound for an unknown school."""
        school = await School.get_or_none(id=plea.school_id, closed_on=None)
        if school is None:
            raise NotFound(texts.NO_SUCH_SCHOOL)
        index = blind_index("match", match_text(plea.child_name, plea.birth_date))
        found = await Pupil.filter(match_index=index, school_id=school.id, status=PupilStatus.ENROLLED)
        pupil = found[0] if len(found) == 1 else None
        said = {"kind": GUARDIAN, "name": normalise_name(plea.name), "child": normalise_name(plea.child_name)}
        await self.file(actor, identity, pupil, said=said, relation=plea.relation, school_id=school.id)

    async def file(
        self,
        actor: Actor,
        identity: WeChatIdentity,
        pupil: Pupil | None,
        *,
        said: Mapping[str, str],
        relation: Relation,
        school_id: UUID,
    ) -> None:
        """One request; the same one twice is one. Raises TooManyRequests."""
        now = self._clock.now()
        if await self._is_filed_already(identity, pupil, said):
            return
        state = BindingState.PENDING
        if pupil is not None and await is_kept_away(
            pupil, local_date(now), people=[identity.person_id], name=said.get("name")
        ):
            # It goes nowhere, and looks to the asker like any other.
            state = _HIDDEN
        request = await BindingRequest.create(
            id=await self._free_id(school_id),
            identity_id=identity.id,
            pupil_id=pupil.id if pupil else None,
            school_id=pupil.school_id if pupil else school_id,
            class_id=pupil.school_class_id if pupil else None,
            said=json.dumps(dict(said), ensure_ascii=False),
            relation=relation,
            state=state,
            created_at=now,
            updated_at=now,
        )
        await self._audit.record(
            actor,
            Action.BINDING_REQUEST,
            f"request:{request.id}",
            whose=await subject_of_request(request),
            fields=["said"],
            purpose="asked" if state is BindingState.PENDING else "asked_barred",
        )
        if state is BindingState.PENDING:
            await self._notices.asked(request, number_of(request.id), identity.person_id)

    async def ask_whether_same(self, identity: WeChatIdentity, other: UUID | None) -> None:
        """One WeChat user is bound as two people: somebody decides whether they are one. Asked once."""
        if other is None or identity.person_id is None:
            return
        pupil, school_id = await self._about(other)
        if school_id is None:
            pupil, school_id = await self._about(identity.person_id)
        if school_id is None:
            return
        person = await Person.get(id=identity.person_id)
        said = {"kind": SAME_PERSON, "name": person.name, "person": str(other)}
        await self.file(SYSTEM, identity, pupil, said=said, relation=Relation.OTHER, school_id=school_id)

    async def forget_old(self) -> int:
        """Deletes what was decided, and invitations that were over, long ago; says how many."""
        before = self._clock.now() - KEPT_FOR
        gone = await BindingRequest.filter(updated_at__lt=before).exclude(state=BindingState.PENDING).delete()
        return gone + await Invitation.filter(expires_at__lt=before).delete()

    # ------------------------------------------------------------------------------------------------------ machinery
    async def _about(self, person_id: UUID) -> tuple[Pupil | None, UUID | None]:
        """A child of the person, and the school."""
        rows = await live_guardianships(person_id=person_id)
        if not rows:
            return None, None
        pupil = await Pupil.get(id=rows[0].pupil_id)
        return pupil, pupil.school_id

    async def _is_filed_already(self, identity: WeChatIdentity, pupil: Pupil | None, said: Mapping[str, str]) -> bool:
        since = self._clock.now() - timedelta(days=1)
        rows = await BindingRequest.filter(identity_id=identity.id).order_by("-created_at").limit(_LOOKED_AT)
        if said["kind"] == SAME_PERSON:
            return any(said_of(row).get("person") == said["person"] for row in rows)
        mine = [row for row in rows if said_of(row)["kind"] == GUARDIAN]
        # One that was hidden counts as waiting: otherwise the asker could tell it from others.
        open_rows = [
            row
            for row in mine
            if row.state is BindingState.PENDING or (row.state is _HIDDEN and row.decided_by is None)
        ]
        pupil_id = pupil.id if pupil else None
        if any(row.pupil_id == pupil_id and said_of(row) == dict(said) for row in open_rows):
            return True
        if len(open_rows) >= MAX_WAITING or len([row for row in mine if row.created_at > since]) >= MAX_A_DAY:
            raise TooManyRequests
        return False

    async def _free_id(self, school_id: UUID) -> UUID:
        """An id whose number nothing else has that waits at the school."""
        rows = await BindingRequest.filter(state=BindingState.PENDING, school_id=school_id)
        taken = {number_of(row.id) for row in rows}
        candidate = uuid4()
        for _ in range(100):
            if number_of(candidate) not in taken:
                break
            candidate = uuid4()
        return candidate


def number_of(request_id: UUID) -> str:
    """Four digits by which a request is called in the chat."""
    return str(1000 + request_id.int % 9000)


def said_of(request: BindingRequest) -> dict[str, str]:
    """What the asker said."""
    said: dict[str, str] = json.loads(request.said)
    return said


async def subject_of_request(request: BindingRequest) -> Subject:
    """Whose affair it is: the child's, or the school's while nobody knows which child."""
    pupil = await Pupil.get_or_none(id=request.pupil_id) if request.pupil_id else None
    if pupil is not None:
        return await subject_of(pupil)
    school = await School.get(id=request.school_id)
    return Subject(school_id=str(school.id), township_id=str(school.township_id))


async def is_kept_away(pupil: Pupil, today: date, *, people: Iterable[UUID | None], name: str | None = None) -> bool:
    """Whether a bar on the child meets one of the people, or the name."""
    bars = await bars_on(pupil.id, today)
    if not bars:
        return False
    met = [Candidate.of(person) for person in await Person.filter(id__in=[each for each in people if each])]
    met += [Candidate.named(name)] if name else []
    return any(is_barred(bars, each) for each in met)
