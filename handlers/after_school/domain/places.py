"""Who gets a place: first come, in order, siblings together or not at all. Pure: counting and locking is the caller's.

A party is what stands in line as one: a child, or siblings who want to be together, each for a programme. Places belong
to pools, which programmes may share.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Member:
    """A child and the pool of the programme it is for."""

    child: str
    pool: str


@dataclass(frozen=True, slots=True)
class Party:
    """Stands in line as one. `key` names it."""

    key: str
    members: tuple[Member, ...]

    @property
    def needs(self) -> Mapping[str, int]:
        """How many places of which pool."""
        if len(self.members) == 1:
            return {self.members[0].pool: 1}
        return Counter(member.pool for member in self.members)


@dataclass(frozen=True, slots=True)
class Pool:
    """`places` (None: as many as come), how many are taken, and whether somebody waits who could use what is free:
    then it is theirs. Siblings who wait for a place elsewhere hold nobody up."""

    places: int | None
    taken: int = 0
    is_awaited: bool = False

    @property
    def free(self) -> float:
        """How many more can come."""
        return float("inf") if self.places is None else max(0, self.places - self.taken)


class Admission:
    """Lets parties in, one after the other in the order in which they come; one that does not fit as a whole waits as a
    whole. Places only go while it lasts: whoever does not fit would not fit later either, so nobody is passed who could
    have had what another got."""

    def __init__(self, pools: Mapping[str, Pool]) -> None:
        self._free = {name: pool.free for name, pool in pools.items()}
        self._awaited = {name for name, pool in pools.items() if pool.is_awaited}

    def admit(self, party: Party) -> bool:
        """Whether the party has its places at once; it waits otherwise."""
        needs = party.needs
        fits = self._awaited.isdisjoint(needs) and _fits(needs, self._free)
        if fits:
            _take(needs, self._free)
        return fits


def admitted(parties: Sequence[Party], pools: Mapping[str, Pool]) -> list[bool]:
    """For each, in the order in which they came: whether they have their places at once."""
    admission = Admission(pools)
    return [admission.admit(party) for party in parties]


def offers(waiting: Iterable[Party], free: Mapping[str, float]) -> list[Party]:
    """To whom the free places are offered now, in the order of the line. Siblings who do not fit together yet keep
    their place in it; what they cannot use is offered to the next who fits, so that no place stands empty."""
    left = dict(free)
    found = []
    for party in waiting:
        needs = party.needs
        if _fits(needs, left):
            _take(needs, left)
            found.append(party)
    return found


def _fits(needs: Mapping[str, int], free: Mapping[str, float]) -> bool:
    return all(free.get(pool, 0) >= number for pool, number in needs.items())


def _take(needs: Mapping[str, int], free: dict[str, float]) -> None:
    for pool, number in needs.items():
        free[pool] -= number
