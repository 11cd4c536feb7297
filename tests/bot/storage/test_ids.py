"""Ids in great numbers are ids like any other."""

from __future__ import annotations

from uuid import RFC_4122, UUID, uuid4

import asyncpg  # noqa: F401 - with its driver loaded, as where PostgreSQL is used
import pytest

from bot.storage.ids import id_of, new_ids


def test_made_up_ids_are_of_the_fourth_kind_and_each_another() -> None:
    made = new_ids(300)
    assert len(set(made)) == 300
    assert {(own.version, own.variant) for own in made} == {(4, RFC_4122)}
    assert new_ids(0) == []


def test_an_id_read_from_text_is_the_same_as_any_other() -> None:
    own = uuid4()
    read = id_of(str(own))
    assert read == own
    assert isinstance(read, UUID)
    assert {own: True}[read]
    assert str(read) == str(own)


@pytest.mark.parametrize("text", ["", "x", "1", "f" * 31, "g" * 32, "٣" * 32, "0b9d3a52-6f1e-4c7a-9d58-2e4f7a6b8c130"])
def test_what_is_no_id_is_none(text: str) -> None:
    assert id_of(text) is None
