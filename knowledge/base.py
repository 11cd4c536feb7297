"""The knowledge base: an immutable snapshot that answers questions.

One thread builds it; any number of readers use it; a reload builds another and swaps the reference.
"""

from __future__ import annotations

import hashlib
import pickle
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from knowledge import compose, snapshot, texts
from knowledge.answer import Answer, Option, Outcome
from knowledge.conversation import SmallTalk
from knowledge.decision import OTHERS_AT, SURE_AT, Decision, Verdict, decide
from knowledge.entry import Entry
from knowledge.frame import Asker, Frame, Framer, is_follow_up
from knowledge.loader import load, shipped_folders
from knowledge.normalise import clean, segments
from knowledge.places import Bond, Gazetteer, Whereabouts
from knowledge.ranking import Match, Ranker, shipped_model
from knowledge.safety import Alarm, Guard
from knowledge.words import Lexicon

MAX_PARTS = 3
"""Questions answered of one message that asks several."""

_REFUSED = frozenset({Alarm.OTHERS_DATA, Alarm.OWN_SCORE, Alarm.CHEATING})
_SPACES = re.compile(r"[^\w]+")


@dataclass(frozen=True, slots=True)
class Trace:
    """How one question was decided, for `ask --explain`: the frame, the best matches, the decision."""

    frame: Frame | None
    matches: tuple[Match, ...]
    decision: Decision | None
    reason: str


class KnowledgeBase:
    """Entries, index, lexicon and gazetteer of one version of the content."""

    def __init__(
        self, entries: Sequence[Entry], version: str = "", state: Mapping[str, NDArray[Any]] | None = None
    ) -> None:
        """`state` is what `knowledge.snapshot` keeps of these entries; without it the index is built here."""
        self.version = version
        plans = {entry.plan.id: entry.plan for entry in entries}
        self.gazetteer = Gazetteer(plans.values())
        self.lexicon = Lexicon(self.gazetteer.names)
        self.framer = Framer(self.lexicon, self.gazetteer)
        self.guard = Guard.load()
        self._small_talk = SmallTalk.load()
        self._model = shipped_model()
        self.ranker = Ranker(entries, self.framer, self._model.weights, state)
        self.entries = self.ranker.entries
        self._by_key = {entry.key: entry for entry in self.entries}

    @classmethod
    def load(cls, folders: Iterable[Path] | None = None, *, snapshots: Path | None = None) -> KnowledgeBase:
        """The base of the content in `folders` (default: the shipped content).

        With a folder for `snapshots` the built index is kept there and used again, which is several times faster.

        Raises:
            ContentFaults: the content is faulty; nothing is loaded.
        """
        chosen = list(folders) if folders is not None else shipped_folders()
        digest = hashlib.sha256()
        for path in sorted(path for folder in chosen for path in folder.glob("*.yaml")):
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
        entries = _compact(load(chosen))
        state = None if snapshots is None else snapshot.obtain(chosen, snapshots)
        return cls(entries, digest.hexdigest()[:12], state)

    @property
    def size(self) -> int:
        """Number of entries."""
        return len(self.entries)

    def entry(self, key: str) -> Entry | None:
        """The entry of that key, if there is one."""
        return self._by_key.get(key)

    def nearest(self, text: str) -> Entry | None:
        """The entry most like `text` (matching form), whatever its place and however unlike."""
        matches = self.ranker.match(Frame(text, text, concepts=self.lexicon.concepts_in(text)))
        return matches[0].entry if matches else None

    def locate(self, place: str) -> Whereabouts:
        """What is known of a place an asker names as theirs; `.known` tells whether any plan belongs to it."""
        return self.gazetteer.locate(place)

    # -- answering --------------------------------------------------------------------------------------------------

    def answer(self, question: str, asker: Asker, *, last_question: str | None = None) -> Answer:
        """The answer to `question`. `last_question` is the one before it, if it was asked in the last ten minutes."""
        return self.explain(question, asker, last_question=last_question)[0]

    def explain(self, question: str, asker: Asker, *, last_question: str | None = None) -> tuple[Answer, Trace]:
        """As `answer`, with the trace of how it was decided."""
        first = self._before_knowledge(question)
        if first is not None:
            return first, Trace(None, (), None, first.reason)
        parts = self._parts(question, asker)
        if len(parts) > 1:
            joined = self._several_questions(parts, asker)
            if joined is not None:
                return joined, Trace(parts[0], (), None, joined.reason)
        frame = self.framer.frame(question, asker)
        if last_question and is_follow_up(frame, self.lexicon.tokenizer.words(frame.text)):
            frame = self.framer.follow_up(self.framer.frame(last_question, asker), frame)
        return self._from_knowledge(frame, asker)

    def choose(self, option: Option, question: str, asker: Asker) -> Answer:
        """The answer to the option picked after `question`."""
        if option.key is not None:
            entry = self._by_key.get(option.key)
            if entry is not None:
                return self._answer_one(entry, asker, reason="按编号选的")
        narrowed = Asker(asker.today, option.place or asker.place, asker.role, option.stage or asker.stage)
        return self.answer(question, narrowed)

    def _before_knowledge(self, question: str) -> Answer | None:
        kind = self._small_talk.kind(_SPACES.sub("", clean(question)))
        alarm = self.guard.alarm(question)
        if alarm is not None:
            outcome = Outcome.DECLINED if alarm in _REFUSED else Outcome.HANDED_OFF
            return Answer(outcome, texts.ALARMS[alarm], alarm=alarm, reason=f"先于知识：{alarm}", question=question)
        if kind is not None:
            return Answer(Outcome.SMALL_TALK, texts.SMALL_TALK[kind], reason=f"闲聊：{kind}", question=question)
        return None

    def _from_knowledge(self, frame: Frame, asker: Asker) -> tuple[Answer, Trace]:
        matches = self.ranker.match(frame)
        decision = self._decided(frame, matches)
        trace = Trace(frame, tuple(matches), decision, decision.reason)
        if frame.where is None or not decision.matches or decision.matches[0].bond is not Bond.UNPLACED:
            return self._render(frame, decision, asker), trace
        if decision.chance >= OTHERS_AT and decision.verdict is Verdict.ANSWER:
            return self._others_say(frame, decision, asker), replace(trace, reason="本地没有写，别的材料里有")
        own = tuple(match.entry for match in matches if match.bond is not Bond.UNPLACED)
        silent = Decision(Verdict.DECLINE, (), decision.chance, "本地的方案没有写", own[:3])
        return self._render(frame, silent, asker), replace(trace, decision=silent, reason=silent.reason)

    def _decided(self, frame: Frame, matches: Sequence[Match]) -> Decision:
        """The decision over `matches`; a curated phrasing word for word wins, unless other places say otherwise."""
        exact = self._exact_decision(frame)
        usual = decide(frame, matches, self._model.confidence)
        if exact is None:
            return usual
        if frame.where is None and usual.verdict in (Verdict.LIST_PLACES, Verdict.ASK_PLACE):
            return usual
        return exact

    def _exact_decision(self, frame: Frame) -> Decision | None:
        """A question that is word for word a curated phrasing of just one entry that fits the place."""
        numbers = self.ranker.exact.find(frame.original) or self.ranker.exact.find(frame.text)
        found = tuple(self.entries[number] for number in numbers)
        if frame.where is not None:
            where = frame.where
            found = tuple(entry for entry in found if where.bond(entry.plan) >= Bond.WITHIN)
        if frame.stages:
            found = tuple(entry for entry in found if not entry.stages or entry.stages & frame.stages)
        if len(found) != 1:
            return None
        match = Match(found[0], 99.0, Bond.OWN, {})
        verdict = Verdict.GAP if found[0].is_gap else Verdict.ANSWER
        return Decision(verdict, (match,), 1.0, "与收录的问法一字不差")

    # -- several questions in one message ---------------------------------------------------------------------------

    def _parts(self, question: str, asker: Asker) -> list[Frame]:
        """Frames of the parts of a message, if it asks for two or more different things."""
        parts = [part for part in segments(question) if len(part) > 1]
        if not 2 <= len(parts) <= 5:
            return []
        frames = [self.framer.from_normalised(part, asker) for part in parts]
        asking = [frame for frame in frames if frame.attributes]
        if len(asking) < 2 or len({frame.attributes for frame in asking}) < 2:
            return []
        whole = self.framer.frame(question, asker)
        return [self._completed(frame, frames[0], whole, asker) for frame in asking[:MAX_PARTS]]

    def _completed(self, frame: Frame, first: Frame, whole: Frame, asker: Asker) -> Frame:
        if frame.concepts - {"收费", "减免", "原因"} or frame is first:
            return self.framer.follow_up(whole, frame) if frame.where is None and whole.where else frame
        carried = self.framer.from_normalised(first.text + frame.text, asker)
        return self.framer.follow_up(whole, carried)

    def _several_questions(self, parts: Sequence[Frame], asker: Asker) -> Answer | None:
        found: dict[str, Entry] = {}
        for frame in parts:
            decision = self._decided(frame, self.ranker.match(frame))
            if decision.verdict not in (Verdict.ANSWER, Verdict.GAP, Verdict.LIST_STAGES):
                return None
            for match in decision.matches:
                found.setdefault(match.entry.key, match.entry)
        if len(found) < 2 or len({entry.plan.id for entry in found.values()}) > 1:
            return None
        entries = list(found.values())[: MAX_PARTS + 1]
        gaps = all(entry.is_gap for entry in entries)
        return Answer(
            Outcome.DECLINED if gaps else Outcome.ANSWERED,
            compose.several(entries, asker.today, lead="", labels=[entry.question.rstrip("？?") for entry in entries]),
            tuple(compose.citation(entry, asker.today) for entry in entries),
            entries[0].key,
            reason="一次问了几件事，逐件回答",
        )

    # -- rendering --------------------------------------------------------------------------------------------------

    def _render(self, frame: Frame, decision: Decision, asker: Asker) -> Answer:
        entries = [match.entry for match in decision.matches]
        if decision.verdict is Verdict.LIST_PLACES:
            return self._list(entries, asker, decision, lead=texts.SEVERAL_PLACES, by_place=True)
        if decision.verdict is Verdict.LIST_STAGES:
            return self._list(entries, asker, decision, lead=texts.SEVERAL_STAGES, by_place=False)
        if decision.verdict is Verdict.ASK_PLACE:
            return self._ask_place(frame, entries, decision)
        if decision.verdict is Verdict.DECLINE:
            return self._decline(frame, decision, asker)
        options: tuple[Option, ...] = ()
        if decision.chance < SURE_AT and decision.verdict is Verdict.ANSWER:
            options = tuple(Option(entry.question, key=entry.key) for entry in decision.nearest)
        note = ""
        if frame.where is None and entries[0].plan.place.name is not None:
            note = texts.OTHER_PLACE.format(place=entries[0].plan.place.name)
        return self._answer_one(entries[0], asker, reason=decision.reason, options=options, note=note)

    def _answer_one(
        self, entry: Entry, asker: Asker, *, reason: str, options: tuple[Option, ...] = (), note: str = ""
    ) -> Answer:
        return Answer(
            Outcome.DECLINED if entry.is_gap else Outcome.ANSWERED,
            compose.one(entry, asker.today, options=options, note=note),
            (compose.citation(entry, asker.today),),
            entry.key,
            options,
            reason=reason,
        )

    def _list(self, entries: Sequence[Entry], asker: Asker, decision: Decision, *, lead: str, by_place: bool) -> Answer:
        if by_place:
            labels = [entry.plan.place.name or entry.plan.short_title for entry in entries]
        else:
            labels = ["、".join(sorted(entry.stages)) for entry in entries]
        return Answer(
            Outcome.ANSWERED,
            compose.several(entries, asker.today, lead=lead, labels=labels, note=texts.WHICH_PLACE if by_place else ""),
            tuple(compose.citation(entry, asker.today) for entry in entries),
            entries[0].key,
            reason=decision.reason,
        )

    def _ask_place(self, frame: Frame, entries: Sequence[Entry], decision: Decision) -> Answer:
        options = tuple(Option(entry.plan.place.name or entry.plan.short_title, key=entry.key) for entry in entries[:8])
        text = compose.fit(compose.numbered(texts.ASK_PLACE, options), texts.NEXT_OPTIONS)
        return Answer(Outcome.CLARIFY, text, options=options, reason=decision.reason, question=frame.original)

    def _decline(self, frame: Frame, decision: Decision, asker: Asker) -> Answer:
        where = frame.where
        nearest = [entry for entry in decision.nearest if not entry.is_gap][:2]
        options = tuple(Option(entry.question, key=entry.key) for entry in nearest)
        ask = nearest[0].plan.ask if nearest and where is not None else texts.ASK_WHOM
        if where is None:
            lead = texts.DECLINED.format(ask=ask)
        elif where.known:
            lead = texts.DECLINED_PLACE.format(place=where.name, ask=ask)
        else:
            lead = texts.DECLINED_UNKNOWN_PLACE.format(place=where.name)
        text = f"{lead}\n{compose.numbered(texts.NEAREST, options)}\n{texts.NEXT_OPTIONS}" if options else lead
        return Answer(
            Outcome.DECLINED, compose.fit(text, ""), options=options, reason=decision.reason, question=frame.original
        )

    def _others_say(self, frame: Frame, decision: Decision, asker: Asker) -> Answer:
        entry = decision.matches[0].entry
        assert frame.where is not None
        lead = texts.OWN_SILENT.format(place=frame.where.name) + "\n"
        lead += texts.OTHERS_SAY.format(plan=entry.plan.short_title)
        return Answer(
            Outcome.ANSWERED,
            compose.one(entry, asker.today, lead=lead),
            (compose.citation(entry, asker.today),),
            entry.key,
            reason="本地没有写，通用材料里有",
        )


def _compact(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """The entries made anew in one go: those that grew between the parser's short-lived objects hold its memory too."""
    packed = pickle.dumps(entries, protocol=pickle.HIGHEST_PROTOCOL)
    del entries
    made: tuple[Entry, ...] = pickle.loads(packed)  # noqa: S301 - our own bytes of a moment ago
    return made
