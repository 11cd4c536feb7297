"""The lexicon: what words mean here. Concepts, asked attributes, stop words, homophones.

Tables are text files in `knowledge/lexicon/`, one line a concept, so that a clerk can add a dialect word.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import resources

from knowledge.entry import Attribute
from knowledge.normalise import numerals
from knowledge.tokenizer import Tokenizer

MAX_HOMOPHONE = 4
"""Characters of the longest word looked for by sound."""


COMMON = 400
"""Corpus frequency from which a word of two characters is taken as meant."""

_FUNCTION = frozenset(
    "的了是不在有我你他她要就都吗呢和去到个这那来说能会可被给没得也还又么啥谁哪几怎咋好多少只时帮零一二三四五六七八九十两"
)
"""Characters of everyday grammar: where one of them stands, it is meant."""


class LexiconFault(Exception):
    """A lexicon file is wrong; the message names file and line."""


def rows(name: str) -> Iterator[tuple[int, list[str]]]:
    """(Line number, tab-separated cells) of a lexicon file; comments and empty lines left out."""
    text = (resources.files("knowledge") / "lexicon" / name).read_text(encoding="utf-8")
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            yield number, [cell.strip() for cell in line.split("\t")]


@dataclass(frozen=True, slots=True)
class Mention:
    """A word of the table found in a text: what it means and where it stands."""

    concept: str
    word: str
    start: int

    @property
    def end(self) -> int:
        """Index behind the last character."""
        return self.start + len(self.word)


class WordTable:
    """Word → meanings, with longest match at every position."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        meanings: defaultdict[str, list[str]] = defaultdict(list)
        for word, meaning in pairs:
            if meaning not in meanings[word]:
                meanings[word].append(meaning)
        self.meanings = dict(meanings)
        by_head: defaultdict[str, list[str]] = defaultdict(list)
        for word in sorted(self.meanings, key=len, reverse=True):
            by_head[word[:2]].append(word)
        self._by_head = dict(by_head)

    def find(self, text: str) -> list[Mention]:
        """All mentions, longest at each position; one wholly inside an earlier one is left out."""
        found: list[Mention] = []
        reach = 0
        for start in range(len(text)):
            word = self._longest(text, start)
            if word is not None and start + len(word) > reach:
                found.extend(Mention(meaning, word, start) for meaning in self.meanings[word])
                reach = start + len(word)
        return found

    def _longest(self, text: str, start: int) -> str | None:
        for head in (text[start : start + 2], text[start]):
            for word in self._by_head.get(head, ()):
                if text.startswith(word, start):
                    return word
        return None


class Lexicon:
    """All word tables and the tokenizer that knows them. Immutable after construction."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        """`names`: further words to keep whole and to recognise by sound, such as places and schools."""
        pairs = list(_concept_pairs())
        self.concepts = WordTable(pairs)
        self.attributes = list(_attribute_patterns())
        self.stop_characters = frozenset("".join(cells[0] for _, cells in rows("stopwords.txt")))
        words = {word for word, _ in pairs} | {cells[0] for _, cells in rows("dictionary.txt")}
        names = set(names)
        self.tokenizer = Tokenizer(words | names)
        self._sounds = _sound_table()
        terms = {numerals(meaning) for _, meaning in pairs} | {cells[0] for _, cells in rows("dictionary.txt")}
        # a name of two characters sounds like too much else (的新 → 德新)
        long_names = {name for name in names if len(name) > 2}
        self._by_sound = self._sound_index(words, terms | long_names)
        self._names = frozenset(long_names)
        self._first_sounds = frozenset(sounds.split(" ", 1)[0] for sounds in self._by_sound)

    @property
    def concept_names(self) -> list[str]:
        """Every policy term, in a fixed order."""
        return sorted({concept for concepts in self.concepts.meanings.values() for concept in concepts})

    @property
    def characters(self) -> Iterable[str]:
        """Every character with a known sound."""
        return self._sounds.keys()

    def concepts_in(self, text: str) -> frozenset[str]:
        """Policy terms that `text` (matching form) speaks of."""
        return frozenset(mention.concept for mention in self.concepts.find(text))

    def attributes_in(self, text: str) -> frozenset[Attribute]:
        """What kinds of thing `text` (matching form) asks for; empty if it does not say."""
        return frozenset(attribute for attribute, pattern in self.attributes if pattern.search(text))

    def sound(self, text: str) -> list[str]:
        """Merged toneless syllable of each character; a character without one stands for itself."""
        return [self._sounds.get(character, character) for character in text]

    def corrected(self, text: str) -> str:
        """`text` with words that only sound like a lexicon word written as that word (暴名 → 报名)."""
        sounds = self.sound(text)
        result = list(text)
        bounds: list[int] = []
        position = 0
        while position < len(text) - 1:
            word = self._heard(text, sounds, position)
            if word is not None:
                bounds = bounds or self._bounds(text)
            if word is None or not self._is_meant(text, word, bounds, position):
                position += 1
                continue
            result[position : position + len(word)] = word
            position += len(word)
        return "".join(result)

    def _is_meant(self, text: str, word: str, bounds: list[int], start: int) -> bool:
        """Whether `word` is what was meant by the characters at `start`; names are never everyday words."""
        if not _is_slip(text[start : start + len(word)], word, bounds, start):
            return False
        return word in self._names or not self._makes_sense(text, bounds, start, word)

    def _heard(self, text: str, sounds: list[str], start: int) -> str | None:
        """The lexicon word that sounds as what stands at `start`, if other characters stand there."""
        if sounds[start] not in self._first_sounds:
            return None
        for size in range(min(MAX_HOMOPHONE, len(text) - start), 1, -1):
            words = self._by_sound.get(" ".join(sounds[start : start + size]))
            if words is None:
                continue
            window = text[start : start + size]
            if window in words or window in self.concepts.meanings or self.tokenizer.is_word(window):
                return None
            return max(words, key=lambda word: _shared(word, window))
        return None

    def _bounds(self, text: str) -> list[int]:
        """For each character, where the word it is cut into starts; one more for the end."""
        bounds: list[int] = []
        for word in self.tokenizer.cuts(text):
            bounds.extend([len(bounds)] * len(word))
        return [*bounds, len(bounds)]

    def _makes_sense(self, text: str, bounds: list[int], start: int, word: str) -> bool:
        """Whether a changed character belongs to a common word as it stands, or to a figure (2010年)."""
        for at in range(start, start + len(word)):
            if text[at] == word[at - start]:
                continue
            end = next(i for i in range(at + 1, len(bounds)) if bounds[i] != bounds[at])
            whole = text[bounds[at] : end]
            if (len(whole) > 1 and self.tokenizer.frequency(whole) >= COMMON) or text[at - 1 : at].isdigit():
                return True
        return False

    def _sound_index(self, words: Iterable[str], terms: Iterable[str]) -> dict[str, list[str]]:
        """Sounds → words written so, commonest first. Phrases of everyday words are left out: too much sounds so."""
        frequency = self.tokenizer.frequency
        heard = {word for word in words if frequency(word) or (len(word) > 2 and not _FUNCTION & set(word))}
        heard |= set(terms)
        index: defaultdict[str, list[str]] = defaultdict(list)
        for word in sorted(heard, key=lambda w: (-frequency(w), w)):
            if 1 < len(word) <= MAX_HOMOPHONE and _all_han(word):
                index[" ".join(self.sound(word))].append(word)
        return dict(index)


def _shared(word: str, window: str) -> int:
    return sum(map(str.__eq__, word, window))


def _is_slip(window: str, word: str, bounds: list[int], start: int) -> bool:
    """Whether `window` is a slip of `word`: cut at its own ends, and what differs is no word that stands on its own.

    Somebody who hits the wrong character leaves loose characters behind; words that make sense are left alone.
    """
    end = start + len(window)
    if len(window) == 2 and not _shared(word, window):
        return False
    if bounds[start] != start or bounds[end] != end:
        return False
    for offset, (written, meant) in enumerate(zip(window, word, strict=True)):
        if written == meant:
            continue
        at = start + offset
        loose = bounds[at] == at and bounds[at + 1] == at + 1
        if written in _FUNCTION or meant in _FUNCTION or not (loose or len(window) > 2):
            return False
    return True


def _all_han(text: str) -> bool:
    return all("㐀" <= character <= "鿿" for character in text)


def _concept_pairs() -> Iterator[tuple[str, str]]:
    for number, cells in rows("concepts.tsv"):
        if len(cells) not in (2, 3):
            raise LexiconFault(f"concepts.tsv:{number}: 应当是“政策用词<TAB>百姓说法”，后面可以再加“<TAB>上级用词”")
        concept, words, *wider = cells
        meanings = (concept, *(wider[0].split() if wider else ()))
        for word in (concept, *words.split()):
            yield from ((numerals(word), meaning) for meaning in meanings)


def _attribute_patterns() -> Iterator[tuple[Attribute, re.Pattern[str]]]:
    for number, cells in rows("attributes.tsv"):
        try:
            yield Attribute(cells[0]), re.compile("|".join(cells[1].split()))
        except (ValueError, IndexError, re.error) as error:
            raise LexiconFault(f"attributes.tsv:{number}: {error}") from error


def _sound_table() -> dict[str, str]:
    return {character: cells[0] for _, cells in rows("pinyin.tsv") for character in cells[1]}
