"""What a form makes, made once however often it is sent."""

from __future__ import annotations

from typing import Final
from uuid import UUID, uuid4, uuid5

_FORMS: Final = UUID("5c1d6c3e-1f0e-4d57-9f0a-6a3a1c1b7e21")


def id_of_form(person: UUID, about: str, key: str) -> UUID:
    """The id of the row that somebody's form about something makes; the key is made with the form. Without one: a new
    id each time."""
    return uuid5(_FORMS, f"{person}:{about}:{key}") if key else uuid4()
