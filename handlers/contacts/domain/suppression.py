"""What of the figures may be shown, so that nobody is recognised by a small number. Pure.

A number from 1 to 4 is small, and so is what is left when one number is taken from another. A month of one school is
shown alone: what is small there is left out, or said as "all but a few". In a table of schools that has totals whole
rows are left out besides, until what the totals give away is no small number either.
Schools that have few children in any of the months stand in one row with others for all of them, so that no month tells
what another one hides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import reduce
from operator import add
from typing import Final, TypeAlias

from handlers.contacts.domain.figures import Counts

LEAST: Final = 5
"""Below it a number is small."""


class Few(StrEnum):
    """What is said in place of a small number."""

    LACKING = "lacking"
    """All but fewer than `LEAST`, and not all."""
    THERE = "there"
    """Fewer than `LEAST`, and not none."""


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a number. `number` None: it is not shown; then `few` may say on which side it is small, and `of` is
    None where that is not shown either."""

    number: int | None = None
    of: int | None = None
    few: Few | None = None

    @property
    def percent(self) -> int | None:
        """Rounded down; None where it is not shown, or nobody is there. Of "few" what it is at least, or at most."""
        if not self.of:
            return None
        if self.few is Few.LACKING:
            return 100 * (self.of - LEAST + 1) // self.of
        if self.few is Few.THERE:
            return -(-100 * (LEAST - 1) // self.of)
        return None if self.number is None else 100 * self.number // self.of


HIDDEN: Final = Share()


@dataclass(frozen=True, slots=True)
class Shown:
    """A month as it is shown. `registered` None: not shown either."""

    registered: int | None
    covered: Share = HIDDEN
    on_time: Share = HIDDEN


NOTHING: Final = Shown(None)


@dataclass(frozen=True, slots=True)
class TownTable:
    """Rows by the schools each stands for, the totals, month by month; None for a month nobody counted."""

    rows: Mapping[tuple[str, ...], Sequence[Shown | None]]
    total: Sequence[Shown | None]


def is_small(number: int, least: int = LEAST) -> bool:
    """Whether somebody may be recognised by it; that there is nobody may be said."""
    return 0 < number < least


def shown_alone(months: Sequence[Counts | None], least: int = LEAST) -> list[Shown | None]:
    """The months of one school for those of the school."""
    alone = [None if each is None else _alone(each, least) for each in months]
    return _beside_hidden(months, alone, least)


def shown_in_town(schools: Mapping[str, Sequence[Counts | None]], least: int = LEAST) -> TownTable:
    """The months of all schools of a township, each with as many months."""
    count = max(map(len, schools.values()), default=0)
    is_counted = [any(months[at] is not None for months in schools.values()) for at in range(count)]
    filled = {school: [each or Counts() for each in months] for school, months in schools.items()}
    groups = grouped(filled, least)
    sums = {group: _summed([filled[school] for school in group]) for group in groups}
    months = [_month([each[at] for each in sums.values()], least) for at in range(count)]
    every = _summed(list(filled.values()))
    total = _beside_hidden(every, [whole for _, whole in months], least)
    rows = {
        group: [
            None if not is_counted[at] else NOTHING if _is_hidden(total[at]) else months[at][0][place]
            for at in range(count)
        ]
        for place, group in enumerate(groups)
    }
    return TownTable(rows, [each if is_counted[at] else None for at, each in enumerate(total)])


def grouped(schools: Mapping[str, Sequence[Counts]], least: int = LEAST) -> list[tuple[str, ...]]:
    """Which schools stand in one row, for all months alike: those that are small in any month, and with them the
    smallest of the others, one at least, until no month of the row is small."""
    few = [school for school, months in schools.items() if any(is_small(each.registered, least) for each in months)]
    most = {school: max((each.registered for each in months), default=0) for school, months in schools.items()}
    others = sorted((school for school in schools if school not in few and most[school]), key=most.__getitem__)
    together = set(few)
    for school in others:
        if len(together) > len(few) and not _is_any_small(schools, together, least):
            break
        together |= {school} if few else set()
    alone: list[tuple[str, ...]] = [(school,) for school in schools if school not in together]
    return [*alone, tuple(school for school in schools if school in together)] if together else alone


def _is_any_small(schools: Mapping[str, Sequence[Counts]], together: set[str], least: int) -> bool:
    months = _summed([schools[school] for school in together])
    return any(is_small(each.registered, least) for each in months)


def _summed(schools: Sequence[Sequence[Counts]]) -> list[Counts]:
    """Month by month."""
    return [reduce(add, months) for months in zip(*schools, strict=True)]


# ---------------------------------------------------------------------------------------------------------- one school
def _alone(counts: Counts, least: int) -> Shown:
    if is_small(counts.registered, least):
        return NOTHING
    covered = _share(counts.covered, counts.registered, least)
    on_time = _share(counts.on_time, counts.asked, least)
    # Whoever was never late is covered, and whoever is overdue was late: where few are covered, or few were on time,
    # the other share would narrow it down further.
    is_telling = Few.THERE in (covered.few, on_time.few)
    return Shown(counts.registered, covered, HIDDEN if is_telling else on_time)


def _share(number: int, of: int, least: int) -> Share:
    if is_small(of, least):
        return HIDDEN
    if not is_small(number, least) and not is_small(of - number, least):
        return Share(number, of)
    # Of so few it might be both sides that are small.
    if of < 2 * least - 1:
        return HIDDEN
    return Share(None, of, Few.THERE if is_small(number, least) else Few.LACKING)


def _beside_hidden(months: Sequence[Counts | None], shown: Sequence[Shown | None], least: int) -> list[Shown | None]:
    """Beside a month whose number on the register is hidden another one that is nearly as small would tell it: from
    month to month few come and go."""
    found = list(shown)
    hidden = [at for at, each in enumerate(found) if _is_hidden(each)]
    while hidden:
        at = hidden.pop()
        for near in {max(at - 1, 0), min(at + 1, len(found) - 1)}:
            each, counts = found[near], months[near]
            if each is None or counts is None or each.registered is None:
                continue
            if 0 < counts.registered < 2 * least:
                found[near] = NOTHING
                hidden.append(near)
    return found


# ------------------------------------------------------------------------------------------------------- all of a town
def _month(rows: Sequence[Counts], least: int) -> tuple[list[Shown], Shown]:
    """The rows of a month, and their total."""
    total = reduce(add, rows, Counts())
    alone = [_alone(row, least) for row in rows]
    left_out = {at for at, each in enumerate(alone) if HIDDEN in (each.covered, each.on_time) or _is_there(each)}
    is_telling = not _has_small(total, least)
    if is_telling:
        left_out = _left_out(rows, alone, left_out, least)
    shown = [
        Shown(row.registered) if at in left_out else each
        for at, (row, each) in enumerate(zip(rows, alone, strict=True))
    ]
    if is_small(total.registered, least):
        return shown, NOTHING
    return shown, _whole(total) if is_telling else Shown(total.registered)


def _left_out(rows: Sequence[Counts], alone: Sequence[Shown], left_out: set[int], least: int) -> set[int]:
    """Where the total is shown: what it gives away of the rows left out together is no small number, and of the rows
    that say "at least" none is pinned down, even by somebody who knew all that is left out."""
    found = set(left_out)
    others = [at for at, row in enumerate(rows) if row.registered and at not in found]
    others.sort(key=lambda at: rows[at].registered, reverse=True)
    while others:
        about = [at for at in others if Few.LACKING in (alone[at].covered.few, alone[at].on_time.few)]
        if found and (len(found) < 2 or _has_small(reduce(add, (rows[at] for at in found)), least)):
            going = others[-1]
        elif not _are_free([_could_be(rows[at], alone[at], least) for at in about], [rows[at] for at in about]):
            going = about[-1]
        else:
            break
        others.remove(going)
        found.add(going)
    return found


_Pairs: TypeAlias = frozenset[tuple[int, int]]


def _could_be(row: Counts, shown: Shown, least: int) -> _Pairs:
    """How many are overdue and how many were late, as far as a row tells: whoever is overdue was late."""
    overdue = range(1, least) if shown.covered.few else (row.overdue,)
    late = range(1, least) if shown.on_time.few else (row.late,)
    return frozenset((one, other) for one in overdue for other in late if one <= other)


def _are_free(among: Sequence[_Pairs], rows: Sequence[Counts]) -> bool:
    """Whether the sums of the rows leave more than one value to each number that a row does not tell."""
    whole = (sum(row.overdue for row in rows), sum(row.late for row in rows))
    for at, own in enumerate(among):
        others = _sums([*among[:at], *among[at + 1 :]])
        fitting = {(one, other) for one, other in own if (whole[0] - one, whole[1] - other) in others}
        for place in (0, 1):
            if len({pair[place] for pair in own}) > 1 and len({pair[place] for pair in fitting}) < 2:
                return False
    return True


def _sums(among: Sequence[_Pairs]) -> _Pairs:
    found: _Pairs = frozenset({(0, 0)})
    for each in among:
        found = frozenset((one + two, late + more) for one, late in found for two, more in each)
    return found


def _is_there(shown: Shown) -> bool:
    return Few.THERE in (shown.covered.few, shown.on_time.few)


def _is_hidden(shown: Shown | None) -> bool:
    return shown is not None and shown.registered is None


def _has_small(row: Counts, least: int) -> bool:
    return any(is_small(each, least) for each in (row.covered, row.overdue, row.on_time, row.late))


def _whole(row: Counts) -> Shown:
    return Shown(row.registered, Share(row.covered, row.registered), Share(row.on_time, row.asked))
