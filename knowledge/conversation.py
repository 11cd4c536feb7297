"""Small talk: greetings, thanks, who are you, insults. Anything else is a question."""

from __future__ import annotations

import re
from dataclasses import dataclass

from knowledge.words import LexiconFault, rows


@dataclass(frozen=True, slots=True)
class SmallTalk:
    """Recognises small talk by whole-message patterns. Immutable."""

    patterns: tuple[tuple[str, re.Pattern[str]], ...]

    @classmethod
    def load(cls) -> SmallTalk:
        """The shipped patterns.

        Raises:
            LexiconFault: a pattern is bad.
        """
        found = []
        for number, cells in rows("smalltalk.tsv"):
            try:
                found.append((cells[0], re.compile("|".join(f"(?:{part})" for part in cells[1].split()))))
            except (IndexError, re.error) as error:
                raise LexiconFault(f"smalltalk.tsv:{number}: {error}") from error
        return cls(tuple(found))

    def kind(self, text: str) -> str | None:
        """The kind of small talk that the whole of `text` (cleaned, unspaced) is; `None` for a question."""
        if not text:
            return "empty"
        return next((kind for kind, pattern in self.patterns if pattern.fullmatch(text)), None)
