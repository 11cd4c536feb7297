"""Whether a second proof fits what the school knows: compared by fingerprints wherever one is kept."""

from __future__ import annotations

from typing import Final

from bot.storage.base import blind_index
from handlers.accounts.domain import NameInvalid, RosterNumberInvalid, match_text, normalise_roster_number
from handlers.accounts.models import Pupil
from handlers.accounts.service.outcomes import Proof

_LAST_FOUR: Final = 4


def child_fits(proof: Proof, pupil: Pupil) -> bool:
    """Whether the number on the roster, or else name and date of birth, are the child's."""
    if proof.roster_number is not None and pupil.roster_number_index is not None:
        return any(
            blind_index("roster_number", each) == pupil.roster_number_index
            for each in _roster_forms(proof.roster_number)
        )
    if proof.child_name is None or proof.birth_date is None or pupil.match_index is None:
        return False
    try:
        return blind_index("match", match_text(proof.child_name, proof.birth_date)) == pupil.match_index
    except NameInvalid:
        return False


def _roster_forms(text: str) -> tuple[str, ...]:
    """The number as typed, and with the letter most people leave out."""
    try:
        number = normalise_roster_number(text)
    except RosterNumberInvalid:
        return ()
    return (number, f"G{number}") if number[0].isdigit() else (number,)


def phone_fits(said: str | None, phone: str | None) -> bool:
    """Whether what was said is the number the school has, or its last four digits."""
    if not said or not phone:
        return False
    digits = "".join(sign for sign in said if sign.isdigit())
    if len(digits) == _LAST_FOUR:
        return phone.endswith(digits)
    return digits.removeprefix("86") == phone if digits.startswith("86") and len(digits) == 13 else digits == phone
