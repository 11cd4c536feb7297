"""Codes of invitations: short enough to be read out and typed, too many to be guessed."""

from __future__ import annotations

import secrets
import unicodedata
from typing import Final

from bot.storage.base import blind_index

# Without what looks like something else on paper: 0 O, 1 I L, 2 Z, 5 S, 8 B, U V.
ALPHABET: Final = "34679ACDEFGHJKMNPQRTVWXY"
LENGTH: Final = 8
SCENE_PREFIX: Final = "i_"
_SAID_AS_NUMERALS: Final = str.maketrans("三四六七九", "34679")
_TAKEN_FOR: Final = str.maketrans("U", "V")


def new_code() -> str:
    """A code nobody has."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def spelled(code: str) -> str:
    """As it is printed: ACDE-3467."""
    return f"{code[:4]}-{code[4:]}"


def scene_of(code: str) -> str:
    """What the parametric QR code carries: nothing but the code."""
    return SCENE_PREFIX + code


def read_code(text: str) -> str | None:
    """The code in what somebody typed, dictated or scanned, whatever its case, width and spaces; None when none is."""
    plain = unicodedata.normalize("NFKC", text).translate(_SAID_AS_NUMERALS).upper()
    plain = plain.removeprefix(SCENE_PREFIX.upper())
    letters = "".join(sign for sign in plain if sign.isascii() and sign.isalnum()).translate(_TAKEN_FOR)
    if len(letters) != LENGTH or not set(letters) <= set(ALPHABET):
        return None
    return letters


def fingerprint(code: str) -> str:
    """All that is kept of a code."""
    return blind_index("invitation", code)
