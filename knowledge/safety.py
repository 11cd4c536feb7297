"""Words that go before everything: a child in danger, a wish for a person, other people's data, cheating.

What is looked for is somebody telling what happens, not somebody asking what is written: 我儿被同学打了 sets an alarm,
怎么防欺凌 does not. The rules are a table, `lexicon/safety.tsv`, which explains its own notation and which a clerk
can extend; its order is the order of the alarms.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from knowledge.normalise import normalise
from knowledge.words import LexiconFault, rows


class Alarm(StrEnum):
    """What was recognised."""

    SELF_HARM = "self_harm"
    ABUSE = "abuse"
    SEXUAL = "sexual"
    BULLYING = "bullying"
    MISSING = "missing"
    NEGLECT = "neglect"
    LABOUR = "labour"
    MEDICAL = "medical"
    COMPLAINT = "complaint"
    PERSON = "person"
    OTHERS_DATA = "others_data"
    OWN_SCORE = "own_score"
    CHEATING = "cheating"


DANGER = frozenset(
    {
        Alarm.SELF_HARM,
        Alarm.ABUSE,
        Alarm.SEXUAL,
        Alarm.BULLYING,
        Alarm.MISSING,
        Alarm.NEGLECT,
        Alarm.LABOUR,
        Alarm.MEDICAL,
    }
)
"""A child may be in danger: answered at once in every dialogue step, and logged for the duty owner."""

_SET = re.compile(r"<([^<>]+)>")
_GAP = "…"
_BOTH = "&"
_ANY = ".{0,8}?"
_PLAIN = re.compile(r"[\w|]+")
_PIECE = re.compile(
    r"(?P<set><[^<>]+>)|\((?P<words>[\w|]+)\)|(?P<letter>\w)|"
    r"(?P<other>\((?:[^()]|\([^()]*\))*\)|\[[^\]]*\]|\\.|\{[^}]*\}|[^\w])"
)
_OPTIONAL = re.compile(r"[?*{]")

Sets = Mapping[str, tuple[str, ...]]
"""Name of a word set → its words, which may be regular expressions."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One pattern of the table; all its parts must match, in any order.

    `needs` are the keys without which it cannot match; they are looked up before it is tried.
    """

    alarm: Alarm
    source: str
    line: int
    patterns: tuple[re.Pattern[str], ...]
    unless: re.Pattern[str] | None
    needs: frozenset[str]


@dataclass(frozen=True, slots=True)
class Finding:
    """An alarm and why it was raised: the rule as it stands in the table, and the words it matched."""

    alarm: Alarm
    reason: str
    words: str


class Guard:
    """Recognises alarms. Immutable after construction."""

    def __init__(self, rules: Sequence[Rule], sets: Sets) -> None:
        """`rules` in order of precedence."""
        self.rules = tuple(rules)
        uses = Counter(need for rule in rules for need in rule.needs)
        words_of: defaultdict[str, set[str]] = defaultdict(set)
        searches: list[tuple[str, re.Pattern[str]]] = []
        for need in uses:
            named = _SET.fullmatch(need)
            words = sets[named[1]] if named else tuple(need.split("|"))
            if all(_PLAIN.fullmatch(word) for word in words):
                for word in words:
                    words_of[word].add(need)
            else:
                searches.append((need, re.compile("|".join(words))))
        lengths: defaultdict[str, set[int]] = defaultdict(set)
        for word in words_of:
            lengths[word[0]].add(len(word))
        self._needs_of = {word: frozenset(needs) for word, needs in words_of.items()}
        self._lengths = {first: tuple(sorted(found)) for first, found in lengths.items()}
        self._searches = tuple(searches)
        by_need: defaultdict[str, list[int]] = defaultdict(list)
        for number, rule in enumerate(rules):
            rarest = min(rule.needs, key=lambda need: (uses[need], need), default="")
            by_need[rarest].append(number)
        self._by_need = {need: tuple(numbers) for need, numbers in by_need.items()}

    @classmethod
    def load(cls) -> Guard:
        """The shipped table; read once, for every version of the content is guarded by the same.

        Raises:
            LexiconFault: a row has an unknown kind, names an unknown word set, or its pattern is none.
        """
        return _shipped()

    @classmethod
    def of(cls, table: Iterable[tuple[int, list[str]]]) -> Guard:
        """The guard of a table given as (line, cells).

        Raises:
            LexiconFault: as `load`.
        """
        sets: dict[str, tuple[str, ...]] = {}
        rules: list[Rule] = []
        for line, cells in table:
            try:
                named = _SET.fullmatch(cells[0])
                if named:
                    sets[named[1]] = tuple(_flattened(cells[1].split(), sets))
                else:
                    rules.extend(_rules(line, cells, sets))
            except (ValueError, LookupError, re.error) as error:
                raise LexiconFault(f"safety.tsv:{line}: {error}") from error
        return cls(rules, sets)

    def alarm(self, text: str) -> Alarm | None:
        """The first alarm in `text` as typed, in the order of the table; `None` for an ordinary message."""
        found = self.find(text)
        return found.alarm if found else None

    def danger(self, text: str) -> Alarm | None:
        """The alarm if it means a child in danger."""
        alarm = self.alarm(text)
        return alarm if alarm in DANGER else None

    def find(self, text: str) -> Finding | None:
        """As `alarm`, with the reason."""
        plain = normalise(text)
        here = self._present(plain)
        for number in sorted(number for need in here for number in self._by_need.get(need, ())):
            rule = self.rules[number]
            words = _matched(rule, plain) if rule.needs <= here else None
            if words is not None:
                return Finding(rule.alarm, f"safety.tsv:{rule.line} {rule.source}", words)
        return None

    def _present(self, plain: str) -> set[str]:
        """The needs that `plain` meets; the empty one, of rules that need no word, always."""
        pieces = {
            plain[position : position + length]
            for position, character in enumerate(plain)
            for length in self._lengths.get(character, ())
        }
        here = {""}.union(*(self._needs_of[piece] for piece in pieces if piece in self._needs_of))
        here.update(need for need, pattern in self._searches if pattern.search(plain))
        return here


@cache
def _shipped() -> Guard:
    return Guard.of(rows("safety.tsv"))


def _rules(line: int, cells: Sequence[str], sets: Sets) -> Iterable[Rule]:
    alarm = Alarm(cells[0])
    excuses = cells[2].split() if len(cells) > 2 else []
    excuse = "|".join(f"(?:{_expanded(excuse, sets)})" for excuse in excuses)
    unless = re.compile(excuse) if excuse else None
    for source in cells[1].split():
        needs = frozenset(need for part in re.split(f"[{_GAP}{_BOTH}]", source) for need in _needs(part))
        patterns = tuple(re.compile(_expanded(part, sets)) for part in source.split(_BOTH))
        yield Rule(alarm, source, line, patterns, unless, needs)


def _matched(rule: Rule, plain: str) -> str | None:
    matches = [pattern.search(plain) for pattern in rule.patterns]
    if rule.unless and all(matches) and rule.unless.search(plain):
        return None
    words = [match[0] for match in matches if match]
    return _GAP.join(words) if len(words) == len(matches) else None


def _flattened(words: Iterable[str], sets: Sets) -> Iterable[str]:
    for word in words:
        named = _SET.fullmatch(word)
        if named:
            yield from sets[named[1]]
        else:
            yield from word.split("|") if _PLAIN.fullmatch(word) else (word,)


def _expanded(source: str, sets: Sets) -> str:
    """Regular expression of a pattern: word sets filled in, `…` as a gap of at most eight characters."""
    filled = _SET.sub(lambda match: f"(?:{'|'.join(sets[match[1]])})", source)
    if _GAP not in filled:
        return filled
    # a bar between two gaps parts the words there only: 堵|围…要钱 is (堵|围) and then 要钱
    return _ANY.join(f"(?:{part})" for part in filled.split(_GAP))


def _needs(part: str) -> Iterable[str]:
    """What a text must hold for `part`, a pattern without gaps, to match: word sets, `a|b` groups, runs of letters.

    Most messages hold none of a rule's words, and this is what spares trying its expression on them.
    """
    if _PLAIN.fullmatch(part):
        yield part
        return
    pieces = [] if re.search(r"\|(?![^(]*\))", part) else list(_PIECE.finditer(part))
    run = ""
    for piece in pieces:
        optional = _OPTIONAL.match(part, piece.end())
        if piece["letter"] and not optional:
            run += piece["letter"]
            continue
        if run:
            yield run
        run = ""
        if not optional and (piece["set"] or piece["words"]):
            yield piece["set"] or piece["words"]
    if run:
        yield run
