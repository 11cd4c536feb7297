"""Knowledge of any size, made from the shipped one: the same matters in towns that do not exist, in shuffled words."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby, islice, product

from knowledge.entry import Entry, Place, Plan

KEPT_PHRASINGS = 3
"""As many as an entry must have. More would make every question dearer alike, and hide what the size costs."""

_FIRST = "桃柳枫松槐桐榆杏梅竹荷菊兰莲桂枣棠榕杉柏樟橡桑麻禾稻麦粟黍豆"
_SECOND = "溪河江湖泉塘湾洲坪岭岗坡沟坝桥亭关寨堡庄"
_LEVELS = (("province", "省"), ("city", "市"), ("county", "县"), ("town", "镇"))


def entries_of(shipped: Sequence[Entry], size: int) -> list[Entry]:
    """`size` entries: every plan once, then every plan of the next invented county, and so on."""
    return list(islice(_endless(shipped), size))


def _endless(shipped: Sequence[Entry]) -> Iterator[Entry]:
    plans = [list(group) for _, group in groupby(shipped, key=lambda entry: entry.plan.id)]
    for number, name in enumerate("".join(pair) for pair in product(_FIRST, _SECOND)):
        chance = random.Random(number)
        for entries in plans:
            plan = _renamed(entries[0].plan, name, number)
            yield from (_shuffled(entry, plan, chance) for entry in entries)


def _renamed(plan: Plan, name: str, number: int) -> Plan:
    levels = {level: name + ending for level, ending in _LEVELS if getattr(plan.place, level) is not None}
    if plan.place.school is not None:
        levels["school"] = f"{name}{plan.place.school[-4:]}"
    return replace(
        plan,
        id=f"{plan.id}-{number}",
        title=f"{name}{plan.title}",
        place=Place(**levels),
        aliases=(f"{name}这里",) if levels else (),
        inside=tuple(f"{name}{inside[-3:]}" for inside in plan.inside),
    )


def _shuffled(entry: Entry, plan: Plan, chance: random.Random) -> Entry:
    phrasings = chance.sample(entry.phrasings, min(KEPT_PHRASINGS, len(entry.phrasings)))
    return replace(
        entry,
        key=f"{plan.id}/{entry.key.partition('/')[2]}",
        plan=plan,
        phrasings=tuple(_reordered(text, chance) for text in phrasings),
        near_misses=entry.near_misses[:1],
    )


def _reordered(text: str, chance: random.Random) -> str:
    """The text with its second half first, cut somewhere in the middle third."""
    cut = chance.randint(len(text) // 3, max(len(text) // 3, 2 * len(text) // 3))
    return text[cut:] + text[:cut]
