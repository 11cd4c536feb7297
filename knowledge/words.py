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
from knowledge.tokenizer import Tokenizer

MAX_HOMOPHONE = 4
"""Characters of the longest word looked for by sound."""


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
        by_first: defaultdict[str, list[str]] = defaultdict(list)
        for word in sorted(self.meanings, key=len, reverse=True):
            by_first[word[0]].append(word)
        self._by_first = dict(by_first)

    def find(self, text: str) -> list[Mention]:
        """All mentions, longest at each position; one wholly inside an earlier one is left out."""
        found: list[Mention] = []
        reach = 0
        for start, character in enumerate(text):
            for word in self._by_first.get(character, ()):
                if text.startswith(word, start):
                    if start + len(word) > reach:
                        found.extend(Mention(meaning, word, start) for meaning in self.meanings[word])
                        reach = start + len(word)
                    break
        return found


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
        # a name of two characters sounds like too much else (的新 → 德新)
        self._by_sound = self._sound_index(words | {name for name in names if len(name) > 2})

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
        result = list(text)
        position = 0
        while position < len(text):
            word = self._heard(text, position)
            if word is None:
                position += 1
                continue
            result[position : position + len(word)] = word
            position += len(word)
        return "".join(result)

    def _heard(self, text: str, start: int) -> str | None:
        for size in range(MAX_HOMOPHONE, 1, -1):
            window = text[start : start + size]
            if len(window) < size or window in self.concepts.meanings or not _all_han(window):
                continue
            word = self._by_sound.get("".join(self.sound(window)))
            if word is not None and word != window and not self._is_sense(text, start, size):
                return word
        return None

    def _is_sense(self, text: str, start: int, size: int) -> bool:
        """Whether the characters are already words as they stand, alone or with a neighbour."""
        is_word = self.tokenizer.is_word
        if is_word(text[start : start + size]):
            return True
        left, right = text[max(0, start - 1) : start + 1], text[start + size - 1 : start + size + 1]
        if size == 2:
            return (len(left) == 2 and is_word(left)) or (len(right) == 2 and is_word(right))
        inner = [text[start + i : start + i + 2] for i in range(size - 1)]
        return size == 3 and all(map(is_word, inner))

    def _sound_index(self, words: Iterable[str]) -> dict[str, str]:
        index: dict[str, str] = {}
        for word in sorted(words, key=lambda w: (len(w), w)):
            if 1 < len(word) <= MAX_HOMOPHONE and _all_han(word):
                index.setdefault("".join(self.sound(word)), word)
        return index


def _all_han(text: str) -> bool:
    return all("㐀" <= character <= "鿿" for character in text)


def _concept_pairs() -> Iterator[tuple[str, str]]:
    for number, cells in rows("concepts.tsv"):
        if len(cells) != 2:
            raise LexiconFault(f"concepts.tsv:{number}: 应当是“政策用词<TAB>百姓说法”")
        concept = cells[0]
        yield concept, concept
        for word in cells[1].split():
            yield word, concept


def _attribute_patterns() -> Iterator[tuple[Attribute, re.Pattern[str]]]:
    for number, cells in rows("attributes.tsv"):
        try:
            yield Attribute(cells[0]), re.compile("|".join(cells[1].split()))
        except (ValueError, IndexError, re.error) as error:
            raise LexiconFault(f"attributes.tsv:{number}: {error}") from error


def _sound_table() -> dict[str, str]:
    return {character: cells[0] for _, cells in rows("pinyin.tsv") for character in cells[1]}
