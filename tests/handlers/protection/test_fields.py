"""Every protected field of a child × everybody who could look: by every page, call, word of the chat and message.

The table in `matrix` says who may see what; it is compared in both directions. A column of the tables, a kind of fact
or a role that the table does not know fails here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

import pytest

from bot.identity import Role
from bot.storage.fields import EncryptedText
from handlers.contacts import models as contacts_models
from handlers.contacts.domain.card import OF_HOLDER
from handlers.contacts.models import ContactsPair
from handlers.term_check import models as check_models
from tests.factories import LONG_AGO
from tests.handlers.conftest import COUNTS
from tests.handlers.protection.matrix import COLUMNS, IN_CLEAR, MATRIX, OF_TABLE, may_see
from tests.handlers.protection.planting import TODAY
from tests.handlers.protection.reading import PROTECTED, Reader
from tests.handlers.protection.village import NEAR, Village

pytestmark = pytest.mark.slow


# --------------------------------------------------------------------------------------------------- the table itself
def fields_of_tables() -> set[str]:
    """Every encrypted column of contacts and of the check, as the table calls it."""
    found = set()
    for module in (contacts_models, check_models):
        for model in vars(module).values():
            meta = getattr(model, "_meta", None)
            if meta is not None and meta.db_table.startswith(("contacts_", "term_check_")):
                encrypted = [name for name, each in meta.fields_map.items() if isinstance(each, EncryptedText)]
                found |= {f"{OF_TABLE.get(meta.db_table, meta.db_table)}.{name}" for name in encrypted}
    return found


def in_table() -> set[str]:
    """What the table speaks of: `report:open.words` is `report.words`, facts are one column."""
    found = set()
    for name in MATRIX:
        table, _, column = name.partition(".")
        table, column = table.partition(":")[0], column.partition(":")[0]
        found.add("fact.value" if table == "fact" else f"{table}.{column}")
    return found


def test_every_protected_column_every_kind_of_fact_and_every_role_has_its_line() -> None:
    assert in_table() == fields_of_tables() | IN_CLEAR
    facts = {f"fact.{holder.value}.{kind.value}" for holder, kinds in OF_HOLDER.items() for kind in kinds}
    assert {name for name in MATRIX if name.startswith("fact.")} == facts | {"fact.older"}
    assert {role for role, _ in COLUMNS.values()} == set(Role) - {Role.SYSTEM}
    assert {cell for cells in MATRIX.values() for cell in cells.values()} <= {"y", ".", "-"}


# --------------------------------------------------------------------------------------------------------- the reading
def leaks(reader: Reader) -> list[str]:
    """What somebody was shown and may not see."""
    return [
        f"{shown}: {planted.field} of {planted.child} ({shown.viewer.columns[planted.child]})"
        for shown in reader.shown
        for planted in sorted(shown.found)
        if not may_see(planted.field, shown.viewer.part(planted))
    ]


def unseen(reader: Reader) -> list[str]:
    """What somebody may see, and some page shows, and was not shown."""
    seen: dict[tuple[str, str], set[str]] = defaultdict(set)
    for shown in reader.shown:
        for planted in shown.found:
            seen[shown.viewer.name, planted.child].add(planted.field)
    planted_of = reader.village.ledger.by_field()
    return [
        f"{viewer.name} ({column}): {name} of {child}"
        for viewer in reader.village.viewers.values()
        for child, column in viewer.columns.items()
        for name, cells in MATRIX.items()
        if cells[column] == "y" and child in planted_of.get(name, {child}) and name not in seen[viewer.name, child]
    ]


def more_than_said(reader: Reader) -> list[str]:
    """What a page shows by now and the table has as shown by none."""
    return sorted(
        {
            f"{planted.field}: {shown.viewer.columns[planted.child]} by {shown.path.partition('?')[0]}"
            for shown in reader.shown
            for planted in shown.found
            if MATRIX[planted.field][shown.viewer.columns[planted.child]] == "."
        }
    )


@pytest.mark.engine("sqlite")
@pytest.mark.parametrize("is_whole", [False, pytest.param(True, marks=pytest.mark.trial)], ids=["allowed", "whole"])
async def test_everybody_sees_what_the_table_says_and_nothing_else(
    village: Village, record_property: Callable[[str, object], None], is_whole: bool
) -> None:
    """In the whole everybody reads every page; else families do, and at the console everybody what is protected: its
    other pages are looked through in the year."""
    reader = Reader(village, reads_audit=False, is_whole=is_whole)
    of_all = [viewer for viewer in village.viewers.values() if is_whole or not viewer.console]
    for viewer in village.viewers.values():
        await reader.everything(viewer, only=("/",) if viewer in of_all else PROTECTED)
    await reader.pushes()
    for viewer in village.viewers.values():
        await reader.chat(viewer, None if viewer in of_all else sorted(reader.dialogues()))
    for viewer in sorted(village.viewers.values(), key=lambda each: each.role is not Role.VISITOR):
        if viewer.console:
            await reader.forms(viewer)
    record_property(COUNTS, counted(reader))
    assert reader.unlisted == set()
    assert "\n".join(leaks(reader)) == ""
    assert "\n".join(unseen(reader)) == ""
    assert "\n".join(more_than_said(reader)) == ""


async def test_who_reads_past_the_table_is_noticed(village: Village) -> None:
    """The control: somebody who teaches the class comes to be paired with the child, and the table does not know."""
    mate, child = village.viewers["mate"], village.children[NEAR]
    reader = Reader(village)
    await reader.read(mate, "console", "GET", f"/admin/contacts/cards/{child.id}")
    assert leaks(reader) == []
    await ContactsPair.create(
        pupil_id=child.id, person_id=village.person_id("mate"), since=TODAY, created_at=LONG_AGO, updated_at=LONG_AGO
    )
    await reader.read(mate, "console", "GET", f"/admin/contacts/cards/{child.id}")
    assert any("fact.carer.phone of near (mate)" in fault for fault in leaks(reader))
    assert not any("barred" in fault for fault in leaks(reader))


async def test_who_is_not_shown_what_is_theirs_is_noticed(village: Village) -> None:
    """The other control: nothing was read."""
    assert "lead (lead): file.reason_words of near" in unseen(Reader(village))


def counted(reader: Reader) -> str:
    doors: dict[str, int] = defaultdict(int)
    for shown in reader.shown:
        doors[f"{shown.door} {shown.method}"] += 1
    cells = sum(len(cells) for cells in MATRIX.values())
    return (
        f"{len(MATRIX)} fields × {len(COLUMNS)} parts = {cells} cells; {len(reader.village.viewers)} people,"
        f" {len(reader.shown)} readings {dict(doors)}"
    )
