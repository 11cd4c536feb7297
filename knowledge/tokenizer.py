"""Words of a Chinese text: jieba with the domain dictionary, without its rare words and without its cache file.

jieba's own dictionary of 349,000 words costs 62 MiB; a word of a village question that is not among the commoner fifth
is a name, and bigrams catch names. Its cache is a pickle in a shared folder, which anybody there could replace.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from importlib import resources
from typing import Any

MIN_FREQUENCY = 40
"""Corpus frequency below which a word of jieba's dictionary is left out."""

MAX_WORD = 5
"""Characters of the longest dictionary word kept; longer ones are names of organisations elsewhere."""

_NUMBERED = re.compile(r"\d+(?:月|日|号|年级|年|元|岁|班|周|天|个|人|%)")
_AFTERNOON = re.compile(r"^(1[3-9]|2[0-3]):(\d\d)$")
_HAN = re.compile(r"[㐀-鿿]+|[a-z0-9%.:+\-]+")


class Tokenizer:
    """Cuts text in matching form (`knowledge.normalise`) into words, bigrams and characters."""

    def __init__(self, domain_words: Iterable[str] = ()) -> None:
        self._jieba = _jieba_tokenizer()
        self._jieba.FREQ, self._jieba.total = _frequencies()
        self._jieba.initialized = True
        domain = [word for word in domain_words if len(word) > 1]
        self._common = {word: self._jieba.FREQ.get(word, 0) for word in domain}
        for word in domain:
            self._jieba.add_word(word, freq=20_000)

    def is_word(self, text: str) -> bool:
        """Whether `text` is a word of the (common or domain) dictionary."""
        return bool(self._jieba.FREQ.get(text, 0))

    def common_words(self, frequency: int, limit: int) -> list[str]:
        """Up to `limit` words of two characters or more that occur at least `frequency` times, commonest first."""
        found = [(count, word) for word, count in self._jieba.FREQ.items() if len(word) > 1 and count >= frequency]
        return [word for _, word in sorted(found, reverse=True)[:limit]]

    def frequency(self, word: str) -> int:
        """Corpus frequency of `word` in the common dictionary, 0 for a word that only this domain has."""
        found = self._common.get(word)
        return found if found is not None else int(self._jieba.FREQ.get(word, 0) or 0)

    def cuts(self, text: str) -> list[str]:
        """`text` cut into words without overlap; joined they are `text` again."""
        return list(self._jieba.cut(text, HMM=False))

    def words(self, text: str) -> list[str]:
        """Search-mode words of two characters or more, and runs of letters and digits."""
        found: list[str] = _NUMBERED.findall(text)  # 8月 is one thing, 8 and 月 are not
        for run in _HAN.findall(text):
            if run[0].isascii():
                found.extend(_clock_forms(run))
                continue
            for word in self._jieba.cut(run, HMM=False):
                if len(word) > 2:
                    found.extend(part for part in _parts(word) if self.is_word(part))
                if len(word) > 1:
                    found.append(word)
        return found


def _jieba_tokenizer() -> Any:
    # Imported with the first snapshot: it takes long, and the service listens before there is one.
    with warnings.catch_warnings():
        # jieba 0.42 has unescaped patterns; 3.12 says so at first compile.
        warnings.simplefilter("ignore", SyntaxWarning)
        import jieba
    # Its table for guessing at words it does not know; every cut here is without guessing.
    jieba.finalseg.emit_P.clear()
    return jieba.Tokenizer()


def _clock_forms(run: str) -> tuple[str, ...]:
    """A time of day as itself and as the face of a clock shows it, so that 17:30 meets the 5:30 of everyday speech."""
    match = _AFTERNOON.match(run)
    return (run, f"{int(match[1]) - 12}:{match[2]}") if match else (run,)


def _parts(word: str) -> list[str]:
    sizes = (2, 3) if len(word) > 3 else (2,)
    return [word[i : i + size] for size in sizes for i in range(len(word) - size + 1)]


def _frequencies() -> tuple[dict[str, int], int]:
    frequencies: dict[str, int] = {}
    total = 0
    with (resources.files("jieba") / "dict.txt").open(encoding="utf-8") as lines:
        for line in lines:
            word, count_text, _ = line.split(" ", 2)
            count = int(count_text)
            total += count
            if (count < MIN_FREQUENCY and len(word) > 1) or len(word) > MAX_WORD:
                continue
            frequencies[word] = count
            for end in range(1, len(word)):
                frequencies.setdefault(word[:end], 0)
    return frequencies, total


def grams(text: str) -> tuple[list[str], list[str]]:
    """(Bigrams, single characters) of the Han runs of `text`."""
    bigrams: list[str] = []
    characters: list[str] = []
    for run in _HAN.findall(text):
        if run[0].isascii():
            continue
        characters.extend(run)
        bigrams.extend(run[i : i + 2] for i in range(len(run) - 1))
    return bigrams, characters
