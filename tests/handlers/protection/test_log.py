"""Nothing protected is shown without a line of the audit, and nothing at all when the audit cannot be written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

import pytest

from bot.storage.database import DATABASE
from tests.handlers.conftest import COUNTS
from tests.handlers.protection.matrix import OF_TABLE
from tests.handlers.protection.reading import ANYBODY, PROTECTED, Reader, Shown
from tests.handlers.protection.village import NEAR, Viewer, Village

pytestmark = pytest.mark.slow

WORDS: Final = ("家访", "强制报告", "开学清点", "到校情况")
# Lines about several children at once (a list of somebody's own, the register, a class), and about what is itself no
# child: a look, an export.
_LISTS: Final = re.compile(r"person:|contacts:|class:|table:|contacts_(?:glass|export|print):")
_LINE: Final = 'INSERT INTO "audit_entry"'
_READS: Final = re.compile(r'FROM "(\w+)"')


def readers_of(village: Village) -> Iterator[Viewer]:
    """Those who may see anything."""
    return (viewer for viewer in village.viewers.values() if viewer.console)


async def all_of(village: Village, reader: Reader) -> list[Shown]:
    """What everybody at a console is shown of anything protected, by pages that change nothing."""
    for viewer in readers_of(village):
        await reader.everything(viewer, only=PROTECTED)
    return [shown for shown in reader.shown if shown.found]


# ------------------------------------------------------------------------------------------------------ there is a line
def unwritten(shown: Shown, village: Village) -> list[str]:
    """What of it no line of the audit names: the child itself, or a list the child stands in."""
    who = shown.viewer.person
    lines = [row for row in shown.rows if row.outcome == "done" and who is not None and row.actor == str(who.id)]
    lines = [row for row in lines if row.action.startswith(("contacts.", "check.", "audit."))]
    return [
        f"{shown}: {planted.field} of {planted.child}"
        for planted in sorted(shown.found)
        if not any(
            row.about == str(village.children[planted.child].id) or _LISTS.match(row.subject or "") for row in lines
        )
    ]


async def test_whatever_is_shown_is_written_down_in_the_transaction_that_reads_it(
    village: Village, engine: str, record_property: Callable[[str, object], None]
) -> None:
    reader = Reader(village)
    if engine == "sqlite":
        await reader.listen()
    told = await all_of(village, reader)
    assert len(told) > 50
    for viewer in readers_of(village):
        await reader.forms(viewer)
    told = [shown for shown in reader.shown if shown.found]
    record_property(COUNTS, f"{len(told)} of {len(reader.shown)} answers hold something protected")
    assert "\n".join(fault for shown in told for fault in unwritten(shown, village)) == ""
    assert "\n".join(fault for shown in told if shown.statements for fault in apart(shown)) == ""


async def test_an_answer_without_a_line_is_noticed(village: Village) -> None:
    """The control: the same answer, had nobody written."""
    reader = Reader(village)
    shown = await reader.read(village.viewers["lead"], "console", "GET", "/admin/contacts/register")
    assert unwritten(shown, village) == []
    silent = Shown(shown.viewer, shown.door, shown.method, shown.path, 200, shown.text, shown.found)
    assert unwritten(silent, village) != []


# ---------------------------------------------------------------------------------------------- in the same transaction
def committed(statements: Sequence[str]) -> list[list[str]]:
    """The statements of each transaction that was."""
    found: list[list[str]] = []
    current: list[str] | None = None
    for statement in statements:
        if statement.startswith("BEGIN"):
            current = []
        elif statement.startswith(("COMMIT", "ROLLBACK")):
            found += [current] if current is not None and statement.startswith("COMMIT") else []
            current = None
        elif current is not None:
            current.append(statement)
    return found


def apart(shown: Shown) -> list[str]:
    """What was not read in a transaction that writes a line."""
    lines = [each for each in committed(shown.statements) if any(one.startswith(_LINE) for one in each)]
    read = {table for statements in lines for each in statements for table in _READS.findall(each)}
    tables = {own: table for table, own in OF_TABLE.items()}
    # Who is on the register is found before: by it is known whose a child is.
    names = {planted.field for planted in shown.found} - {"file.pupil_id"}
    return [f"{shown}: {name}" for name in sorted(names) if tables[re.split(r"[.:]", name)[0]] not in read]


@pytest.mark.engine("sqlite")
async def test_what_is_read_apart_from_its_line_is_noticed(village: Village) -> None:
    """The control: the same statements, with the line in a transaction of its own."""
    reader = Reader(village)
    await reader.listen()
    child = village.children[NEAR].id
    shown = await reader.read(village.viewers["keeper"], "console", "GET", f"/admin/contacts/cards/{child}")
    assert apart(shown) == []
    parted = [part for one in shown.statements for part in ((one, "COMMIT", "BEGIN") if _LINE in one else (one,))]
    assert "fact.carer.phone" in " ".join(apart(replace(shown, statements=tuple(parted))))


# -------------------------------------------------------------------------------------------- it cannot be written down
RENAMED: Final = dict.fromkeys(("sqlite", "postgres"), ("ALTER TABLE audit_entry RENAME TO audit_entry_away",))
# On the one engine the line is refused, on the other it is taken and the transaction cannot be committed.
REFUSED: Final = {
    "sqlite": ("CREATE TRIGGER broken BEFORE INSERT ON audit_entry BEGIN SELECT RAISE(ABORT, 'broken'); END",),
    "postgres": (
        "CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'broken'; END $$",
        "CREATE CONSTRAINT TRIGGER broken AFTER INSERT ON audit_entry DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION broken()",
    ),
}


@pytest.mark.parametrize("way", [RENAMED, REFUSED], ids=["no table", "no commit"])
async def test_what_cannot_be_written_down_is_not_shown(
    village: Village, engine: str, way: dict[str, Sequence[str]], record_property: Callable[[str, object], None]
) -> None:
    told = await all_of(village, Reader(village))
    connection = village.town.app[DATABASE].connection
    for statement in way[engine]:
        await connection.execute_script(statement)
    broken = Reader(village, reads_audit=False)
    for shown in told:
        await broken.read(shown.viewer, shown.door, shown.method, shown.path)
    for viewer in readers_of(village):
        if way is REFUSED:
            await broken.forms(viewer)
        await broken.chat(viewer, WORDS)
    record_property(COUNTS, f"{len(told)} answers with something protected, {len(broken.shown)} tried without audit")
    assert len(told) > 50
    assert "\n".join(f"{shown}: {sorted(shown.found)}" for shown in broken.shown if shown.found) == ""
    names = [child.name for child in village.children.values()]
    pages = [shown for shown in broken.shown if shown.door == "console"]
    named = [shown for shown in pages if any(name in shown.text for name in names)]
    assert "\n".join(str(shown) for shown in named if not shown.path.startswith(ANYBODY)) == ""
    assert "\n".join(str(shown) for shown in pages if shown.status < 300) == ""
