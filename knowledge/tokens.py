"""Tokens of a text in matching form: words, bigrams, characters, sounds, concepts, each kind with its weight.

Unigrams and bigrams are the cheap insurance against segmentation and typing errors, sounds against homophones, concepts
against another wording; jieba's words alone are the most fragile choice in every measurement.
"""

from __future__ import annotations

from knowledge.tokenizer import grams
from knowledge.words import Lexicon

WORD, BIGRAM, CHARACTER, SOUND, CONCEPT = 1.0, 0.55, 0.22, 0.22, 1.3
"""Weight of a token by its kind, times its idf."""

STOP = 0.3
"""Weight of a character that carries no subject, against one that does."""

WORD_MARK, BIGRAM_MARK, SOUND_MARK, CONCEPT_MARK = "=", "_", "~", "#"
_MARKS = frozenset((WORD_MARK, BIGRAM_MARK, SOUND_MARK, CONCEPT_MARK))


def tokens(text: str, lexicon: Lexicon, *, sounds: bool = True) -> dict[str, float]:
    """Distinct tokens of `text` with the weight of their kind. Without `sounds` for long texts that nobody mistypes."""
    weights: dict[str, float] = {}
    bigrams, characters = grams(text)
    stop = lexicon.stop_characters
    for character in characters:
        weights[character] = CHARACTER * STOP if character in stop else CHARACTER
    for bigram in bigrams:
        weights[BIGRAM_MARK + bigram] = BIGRAM
    if sounds:
        for bigram in bigrams:
            weights[SOUND_MARK + " ".join(lexicon.sound(bigram))] = SOUND
    for word in lexicon.tokenizer.words(text):
        weights[WORD_MARK + word] = WORD
    for concept in lexicon.concepts_in(text):
        weights[CONCEPT_MARK + concept] = CONCEPT
    return weights


def is_character(token: str) -> bool:
    """Whether `token` is a single character and no marked token."""
    return token[0] not in _MARKS
