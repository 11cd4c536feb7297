"""Thinking out a township: from a seed, a day and a number of families, always the same way."""

from __future__ import annotations

from datetime import date
from typing import Final

from bot.demo_township.cases import add_cases
from bot.demo_township.draft import Draft
from bot.demo_township.families import add_family
from bot.demo_township.names import Names
from bot.demo_township.plan import ProgrammePlan, TownshipPlan
from bot.demo_township.staff import add_staff

# The number of a guardian has six digits.
MOST_FAMILIES: Final = 999_999
FULL_PROGRAMME: Final = ProgrammePlan("满额测试班", 45)


def plan_township(today: date, *, families: int = 300, seed: int = 1) -> TownshipPlan:
    """The plan. `families` counts the numbered guardians, the odd families come on top."""
    assert 1 <= families <= MOST_FAMILIES
    draft = Draft(seed, today, town="")
    draft.town = Names(draft.chance("town")).town()
    county = f"{Names(draft.chance('county')).town()}县"
    for number in range(1, families + 1):
        add_family(draft, number)
    add_cases(draft)
    schools = draft.schools()
    pupils, classes = draft.seat()
    add_staff(draft, schools, [room for room in classes if room.year == draft.year])
    return TownshipPlan(
        name=f"{draft.town}镇",
        county=county,
        today=today,
        year=draft.year,
        schools=schools,
        classes=classes,
        persons=tuple(draft.persons),
        pupils=pupils,
        ties=tuple(draft.ties),
        charges=tuple(draft.charges),
        consents=tuple(draft.consents),
        pleas=tuple(draft.pleas),
        expired=tuple(draft.expired),
        bars=tuple(draft.bars),
        programmes=(FULL_PROGRAMME,),
        cases=tuple(draft.cases.items()),
    )
