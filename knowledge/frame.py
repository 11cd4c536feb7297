"""What a question asks: its words and its frame (place, stage, role, attribute, concepts)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date

from knowledge.entry import Attribute, Audience, Stage
from knowledge.normalise import normalise
from knowledge.places import Gazetteer, Whereabouts
from knowledge.words import Lexicon

_STAGES: tuple[tuple[re.Pattern[str], Stage], ...] = (
    (re.compile(r"小升初|上初中|升初中|读初中|念初中|初中|[七八九789]年级|初[一二三123]|中学生|上中学"), Stage.JUNIOR),
    (re.compile(r"幼升小|小学|[一二三四五六123456]年级|大班毕业|大班升|上小学|上1年级"), Stage.PRIMARY),
    (re.compile(r"高中|高[一二三123]|普高|职高"), Stage.SENIOR),
    (re.compile(r"幼儿园|幼儿|小班|中班|大班(?!额|毕业|升)|托班"), Stage.KINDERGARTEN),
)
_PRIMARY_LEAVING = re.compile(r"念完小学|小学毕业|小学念完|小学升|小学的.{0,4}初中|读完小学|六年级毕业|6年级毕业")
_NOW = re.compile(r"今年|现在|本学期|这学期|当前|眼下|今年的|目前|明年")
_YEAR = re.compile(r"(?<!\d)(20\d{2})(?:年|学年)?")


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, as far as known. `place` is the profile's, in the asker's own words; `today` decides what has ended."""

    today: date
    place: str | None = None
    role: Audience | None = None
    stage: Stage | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """What one question asks. `text` is what is matched: normalised, corrected by sound, without place names."""

    text: str
    original: str
    where: Whereabouts | None = None
    place_in_question: bool = False
    stages: frozenset[Stage] = frozenset()
    role: Audience | None = None
    attributes: frozenset[Attribute] = frozenset()
    concepts: frozenset[str] = frozenset()
    asks_now: bool = False
    year: int | None = None
    names: frozenset[str] = field(default=frozenset())
    """Schools, villages, roads named in the question or in the asker's profile, in matching form."""


class Framer:
    """Makes frames; holds the lexicon and the gazetteer of one snapshot."""

    def __init__(self, lexicon: Lexicon, gazetteer: Gazetteer) -> None:
        self.lexicon = lexicon
        self.gazetteer = gazetteer

    def frame(self, question: str, asker: Asker) -> Frame:
        """The frame of `question`; place and stage from the question, else from the asker."""
        return self.from_normalised(normalise(question), asker)

    def from_normalised(self, original: str, asker: Asker) -> Frame:
        """As `frame`, for a text already in matching form."""
        corrected = self.lexicon.corrected(original)
        named, rest = self.gazetteer.named_in(corrected)
        where = named
        if where is None and asker.place:
            where = self.gazetteer.locate(asker.place)
        year = _YEAR.search(corrected)
        stages = stages_in(corrected)
        return Frame(
            text=rest if len(rest) > 1 else corrected,
            original=original,
            where=where,
            place_in_question=named is not None,
            stages=stages or (frozenset({asker.stage}) if asker.stage else frozenset()),
            role=asker.role,
            attributes=self.lexicon.attributes_in(rest),
            concepts=self.lexicon.concepts_in(rest),
            asks_now=bool(_NOW.search(corrected)),
            year=int(year[1]) if year else None,
            names=where.named if where is not None else frozenset(),
        )

    def follow_up(self, last: Frame, frame: Frame) -> Frame:
        """`frame` completed from the question before it: 那初中呢 asks what was asked, of another stage or place."""
        carried = f"{last.text}{frame.text}" if not frame.concepts else frame.text
        if frame.stages and not frame.concepts:
            carried = without_stage(last.text) + frame.text
        return replace(
            frame,
            text=carried,
            where=frame.where or last.where,
            stages=frame.stages or last.stages,
            attributes=frame.attributes or last.attributes,
            concepts=frame.concepts or last.concepts,
        )


def stages_in(text: str) -> frozenset[Stage]:
    """Stages named in `text` (matching form). Somebody leaving primary school asks about junior school."""
    if _PRIMARY_LEAVING.search(text):
        return frozenset({Stage.JUNIOR})
    return frozenset(stage for pattern, stage in _STAGES if pattern.search(text))


def without_stage(text: str) -> str:
    """`text` without the words that name a stage."""
    for pattern, _ in _STAGES:
        text = pattern.sub("", text)
    return text


def is_follow_up(frame: Frame, words: Iterable[str]) -> bool:
    """Whether a question is too bare to stand alone: short, and either 那…呢 or without any subject."""
    bare = re.sub(r"^(?:那么|那|还有|另外)|(?:呢|吗|么)$", "", frame.original)
    if len(bare) > 10:
        return False
    if frame.original.startswith(("那", "还有")):
        return True
    return not frame.concepts and len(list(words)) <= 2 and (bool(frame.stages) or bool(frame.attributes))
