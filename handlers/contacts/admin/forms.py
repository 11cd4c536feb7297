"""What stands in the forms of these pages, read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import TypeVar

from handlers.contacts.domain.register import RegisterInvalid

Chosen = TypeVar("Chosen", bound=StrEnum)


def chosen(kind: type[Chosen], text: str, what: str) -> Chosen:
    """One of a choice. Raises RegisterInvalid naming `what`."""
    found = next((each for each in kind if each.value == text), None)
    if found is None:
        raise RegisterInvalid(f"请选{what}，再保存。")
    return found


def day_of(form: Mapping[str, str], name: str, what: str) -> date:
    """A day. Raises RegisterInvalid naming `what`."""
    try:
        return date.fromisoformat(form.get(name, "").strip())
    except ValueError:
        raise RegisterInvalid(f"{what}请写成2026-09-01这样，再保存。") from None


def day_or_none(form: Mapping[str, str], name: str, what: str) -> date | None:
    """A day, None where none was filled in. Raises RegisterInvalid."""
    return day_of(form, name, what) if form.get(name, "").strip() else None
