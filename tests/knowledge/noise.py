"""Noise that real messages carry: homophones, traditional characters, spaces, emoji. Deterministic."""

from __future__ import annotations

import random
import zlib
from collections import defaultdict
from collections.abc import Callable
from functools import cache

from opencc import OpenCC

from knowledge.words import Lexicon, rows

EMOJI = "😭🙏😂👍❓"


@cache
def _by_sound() -> dict[str, str]:
    """Character → the characters of the same merged sound that are common enough to be typed by mistake."""
    groups: defaultdict[str, str] = defaultdict(str)
    for _, cells in rows("pinyin.tsv"):
        common = "".join(c for c in cells[1] if c.encode("gb2312")[0] < 0xD8)  # GB 2312 level 1: the common characters
        for character in cells[1]:
            groups[character] = common
    return dict(groups)


def homophones(count: int) -> Callable[[str, Lexicon], str]:
    """Replaces `count` characters that carry meaning by others of the same sound."""

    def noisy(text: str, lexicon: Lexicon) -> str:
        chance = random.Random(zlib.crc32(text.encode()))
        places = [i for i, c in enumerate(text) if c not in lexicon.stop_characters and len(_by_sound().get(c, "")) > 1]
        characters = list(text)
        for place in chance.sample(places, min(count, len(places))):
            characters[place] = chance.choice([c for c in _by_sound()[text[place]] if c != text[place]])
        return "".join(characters)

    return noisy


@cache
def _converter() -> OpenCC:
    return OpenCC("s2t")


def traditional(text: str, lexicon: Lexicon) -> str:
    """The text in traditional characters."""
    return str(_converter().convert(text))


def spaced(text: str, lexicon: Lexicon) -> str:
    """The text with a space after every third character, as some keyboards leave it."""
    return " ".join(text[i : i + 3] for i in range(0, len(text), 3))


def with_emoji(text: str, lexicon: Lexicon) -> str:
    """The text with emoji in front and behind."""
    return f"{EMOJI[0]}{text}{EMOJI[len(text) % len(EMOJI)]}"


NOISES: dict[str, Callable[[str, Lexicon], str]] = {
    "homophone_1": homophones(1),
    "homophone_2": homophones(2),
    "traditional": traditional,
    "spaces": spaced,
    "emoji": with_emoji,
}
