"""Names for the ids in the audit: of people and pupils of the township that somebody administers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tortoise.expressions import Q
from tortoise.queryset import QuerySet

from bot.identity import Actor
from bot.rights import Action, Reach, require
from handlers.accounts.models import Person, Pupil

_MOST: int = 200


class NameService:
    """Ids to names and back, for whoever may search the audit."""

    async def names_of(
        self, actor: Actor, *, persons: Sequence[str] = (), pupils: Sequence[str] = ()
    ) -> Mapping[str, str]:
        """The names by id; those out of reach are left out. Raises NotPermitted."""
        reach = require(actor, Action.AUDIT_SEARCH)
        rows = [
            *await _persons(reach).filter(id__in=list(persons)).values_list("id", "name"),
            *await _pupils(reach).filter(id__in=list(pupils)).values_list("id", "name"),
        ]
        return {str(own): str(name) for own, name in rows}

    async def ids_named(self, actor: Actor, name: str) -> tuple[Sequence[str], Sequence[str]]:
        """The ids of persons and of pupils whose name holds these characters. Raises NotPermitted."""
        reach = require(actor, Action.AUDIT_SEARCH)
        persons = await _persons(reach).filter(name__contains=name).limit(_MOST).values_list("id", flat=True)
        pupils = await _pupils(reach).filter(name__contains=name).limit(_MOST).values_list("id", flat=True)
        return sorted({str(own) for own in persons}), sorted({str(own) for own in pupils})


def _persons(reach: Reach) -> QuerySet[Person]:
    if reach.is_any:
        return Person.all()
    towns = list(reach.townships)
    staff, guardians = Q(appointments__township_id__in=towns), Q(guardianships__pupil__school__township_id__in=towns)
    return Person.filter(staff | guardians).distinct()


def _pupils(reach: Reach) -> QuerySet[Pupil]:
    return Pupil.all() if reach.is_any else Pupil.filter(school__township_id__in=list(reach.townships))
