"""By what official lists know a family: fingerprints of identity numbers, never the numbers themselves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

from bot.clock import Clock
from bot.storage.base import blind_index
from handlers.accounts.domain import PupilStatus, normalise_id_number
from handlers.accounts.models import Person, Pupil
from handlers.accounts.service.child_records import Custody

_SLICE = 500


def mark_of(id_number: str) -> str:
    """The fingerprint of an identity number. Raises IdNumberInvalid."""
    return blind_index("id_number", normalise_id_number(id_number))


class FamilyMarks:
    """Over the tables of people. Whoever asks has the right to."""

    def __init__(self, clock: Clock) -> None:
        self._custody = Custody(clock)

    async def of(self, child_ids: Collection[str]) -> Mapping[str, frozenset[str]]:
        """The fingerprints of each child and of those who look after it today, as far as the school knows numbers."""
        found: dict[str, set[str]] = defaultdict(set)
        pupils = Pupil.filter(id__in=list(child_ids), id_number_index__not_isnull=True)
        for child, index in await pupils.values_list("id", "id_number_index"):
            found[str(child)].add(str(index))
        custody = await self._custody.of(child_ids)
        people = {person for own in custody.values() for person in own}
        adults = Person.filter(id__in=list(people), id_number_index__not_isnull=True)
        marks = {str(person): str(index) for person, index in await adults.values_list("id", "id_number_index")}
        for child, own in custody.items():
            found[child] |= {marks[person] for person in own if person in marks}
        return {child: frozenset(own) for child, own in found.items()}

    async def known(self, marks: Collection[str]) -> int:
        """How many of them are of a child at school or of a grown-up on a roster."""
        wanted, number = sorted(marks), 0
        for start in range(0, len(wanted), _SLICE):
            among: dict[str, Any] = {"id_number_index__in": wanted[start : start + _SLICE]}
            number += await Pupil.filter(**among, status=PupilStatus.ENROLLED).count()
            number += await Person.filter(**among).count()
        return number
