"""Answer, clarify, decline or hand over: the decision and its reasons.

A score alone cannot decide, because the near misses of a question are on the same subject. So the decision looks at
what is asked: is it of this place and stage, is the asked attribute curated in the entry, and how much of the question
no entry holds. The weights of that estimate (`confidence` in `lexicon/ranker.json`) are fitted with right entries
withdrawn.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from knowledge.entry import Attribute, Entry, FactKind
from knowledge.frame import Frame
from knowledge.ranking import FIXED, Match

ANSWER_AT = 0.1
"""Estimated chance of being right from which an entry answers."""

SURE_AT = 0.4
"""Chance from which no alternatives are offered."""

OTHERS_AT = 0.35
"""Chance from which an unplaced plan may speak after the asker's own plans were silent."""

RIVAL_SHARE = 0.6
"""Share of the best estimate's odds at which another plan's or stage's entry counts as a rival answer."""

NOISE = 4.5
"""Score that unrelated entries reach by chance."""

MAX_LISTED = 3
"""Places listed with their answers; more are asked for."""

EVIDENCE = (
    "score",
    "margin",
    "topic_margin",
    "covered_any",
    "near_miss",
    "gap",
    "placed",
    "unanswered",
    "off_concept",
    "one",
)

FIXED_EVIDENCE = {"unanswered": -1.6, "off_concept": -2.0}
"""Weights that are set, not fitted: that the asked kind of fact is missing decides, however alike the words are."""

_BACKED_BY: Mapping[Attribute, frozenset[FactKind]] = {
    Attribute.MONEY: frozenset({FactKind.MONEY}),
    Attribute.DATE: frozenset({FactKind.DATE, FactKind.TERM}),
    Attribute.TIME: frozenset({FactKind.TIME, FactKind.TERM}),
    Attribute.SHARE: frozenset({FactKind.SHARE}),
    Attribute.AGE: frozenset({FactKind.AGE}),
    Attribute.PHONE: frozenset({FactKind.PHONE}),
    Attribute.PERSON: frozenset({FactKind.PERSON}),
}
"""Asked attributes that only a typed fact (or a curated 所问) can satisfy."""


class Verdict(StrEnum):
    """What to do with the matches."""

    ANSWER = "answer"
    GAP = "gap"
    LIST_PLACES = "list_places"
    ASK_PLACE = "ask_place"
    LIST_STAGES = "list_stages"
    DECLINE = "decline"


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict, the entries it rests on (best first), and why."""

    verdict: Verdict
    matches: tuple[Match, ...]
    chance: float
    reason: str
    nearest: tuple[Entry, ...] = ()


def confidence(frame: Frame, matches: Sequence[Match], weights: Mapping[str, float]) -> float:
    """Estimated chance that the first match answers the question."""
    values = evidence(frame, matches)
    total = sum(weights.get(name, 0.0) * value for name, value in values.items())
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))


def evidence(frame: Frame, matches: Sequence[Match]) -> dict[str, float]:
    """What the estimate rests on, by the names of `EVIDENCE`."""
    first = matches[0]
    rest = [match for match in matches[1:] if not alike(match.entry, first.entry)]
    strangers = [match for match in rest if not set(match.entry.topics) & set(first.entry.topics)]
    return {
        "score": first.score - FIXED["bond"] * first.features["bond"],
        "margin": _margin(first, rest),
        "topic_margin": _margin(first, strangers),
        "covered_any": first.features["covered_any"],
        "near_miss": first.features["near_miss"],
        "gap": first.features["gap"],
        "placed": 1.0 if frame.where is not None else 0.0,
        "unanswered": 0.0 if satisfies(first.entry, frame.attributes) else 1.0,
        "off_concept": first.features["off_concept"],
        "one": 1.0,
    }


def _margin(first: Match, rest: Sequence[Match]) -> float:
    # where there is nothing else to compare with, chance likeness stands in: alone is not the same as right
    noise = NOISE + FIXED["bond"] * first.features["bond"]
    return min(5.0, first.score - max(noise, rest[0].score if rest else noise))


def satisfies(entry: Entry, asked: frozenset[Attribute]) -> bool:
    """Whether the entry holds the kind of fact that is asked, or no strict kind is asked."""
    strict = [attribute for attribute in asked if attribute in _BACKED_BY]
    if not strict or asked & entry.attributes:
        return True
    kinds = {fact.kind for fact in entry.facts}
    return any(kinds & _BACKED_BY[attribute] for attribute in strict)


def alike(one: Entry, other: Entry) -> bool:
    """Whether either would do: the same entry, or the same matter and kind of fact in the same plan."""
    if one.key == other.key:
        return True
    return one.plan.id == other.plan.id and _same_matter(one, other)


def decide(frame: Frame, matches: Sequence[Match], weights: Mapping[str, float]) -> Decision:
    """The decision over the matches of one circle of places."""
    if not matches:
        return Decision(Verdict.DECLINE, (), 0.0, "没有候选条目")
    chance = confidence(frame, matches, weights)
    nearest = tuple(match.entry for match in matches[:3])
    if chance < ANSWER_AT:
        return Decision(Verdict.DECLINE, tuple(matches[:1]), chance, "最像的条目把握不够", nearest)
    places = _rival_places(frame, matches)
    if frame.where is None and len(places) > MAX_LISTED:
        return Decision(Verdict.ASK_PLACE, tuple(places), chance, "多地规定不同，先问地方")
    if frame.where is None and (len(places) > 1 or places[0] is not matches[0]):
        return Decision(Verdict.LIST_PLACES, tuple(places), chance, "几地规定不同，分开列出")
    stages = _rival_stages(frame, matches)
    if len(stages) > 1:
        return Decision(Verdict.LIST_STAGES, tuple(stages), chance, "没说学段，两段都列出")
    verdict = Verdict.GAP if matches[0].entry.is_gap else Verdict.ANSWER
    return Decision(verdict, tuple(matches[:1]), chance, "把握够，直接答", tuple(m.entry for m in matches[1:3]))


def _rival_places(frame: Frame, matches: Sequence[Match]) -> list[Match]:
    """The best match of every plan that speaks of the same matter about as well as the first."""
    first = matches[0]
    best: dict[str, Match] = {}
    for match in matches:
        if match.entry.plan.id in best or not _same_matter(first.entry, match.entry):
            continue
        if first.score - match.score <= _reach(first):
            best[match.entry.plan.id] = match
    found = [match for match in best.values() if not match.entry.is_gap]
    return found if found else [first]


def _rival_stages(frame: Frame, matches: Sequence[Match]) -> list[Match]:
    """Entries of the first one's plan that answer the same for another stage, if the question names none."""
    first = matches[0]
    if frame.stages or len(first.entry.stages) != 1 or first.entry.is_gap:
        return [first]
    found = [first]
    for match in matches[1:]:
        entry = match.entry
        close = first.score - match.score <= _reach(first)
        other = len(entry.stages) == 1 and all(entry.stages != kept.entry.stages for kept in found)
        if close and other and not entry.is_gap and alike(entry, first.entry):
            found.append(match)
    return found


def _reach(first: Match) -> float:
    return max(0.6, -math.log(RIVAL_SHARE) + 0.12 * abs(first.score))


def _same_matter(one: Entry, other: Entry) -> bool:
    return bool(set(one.topics) & set(other.topics)) and bool(one.attributes & other.attributes)
