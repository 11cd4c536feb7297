"""Whom official lists name: compared by fingerprints, so that most families bring no paper."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from uuid import UUID

from handlers.accounts.service.marks import FamilyMarks
from handlers.after_school.models import AfterSchoolWaiverListed


class Listing:
    """The lists in force."""

    def __init__(self, marks: FamilyMarks) -> None:
        self._marks = marks

    async def codes_of(self, child_id: str, township_id: str, day: date) -> frozenset[str]:
        """The kinds of hardship for which a list of the township, good on the day, names the child or somebody who
        looks after it."""
        marks: Mapping[str, frozenset[str]] = await self._marks.of([child_id])
        own = marks.get(child_id, frozenset())
        if not own:
            return frozenset()
        rows = AfterSchoolWaiverListed.filter(
            number_index__in=list(own),
            source__township_id=UUID(township_id),
            source__since__lte=day,
            source__until__gte=day,
            source__undone_at__isnull=True,
        )
        return frozenset(str(code) for code in await rows.values_list("source__code", flat=True))
