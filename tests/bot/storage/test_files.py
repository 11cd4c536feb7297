"""Files belong to a record, lie encrypted, and go when their term ends."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from bot.clock import FrozenClock
from bot.errors import AppError
from bot.storage.database import Database
from bot.storage.files import MOST_BYTES, MOST_UPLOADED, FileNotFound, FileStore, FileTooLarge, Owner
from bot.storage.models import StoredFile
from tests.bot.storage.test_pictures import photo

PNG = "image/png"


def somebody(kind: str = "notice") -> Owner:
    return Owner(kind, str(uuid4()))


@pytest.fixture
def files(database: Database, clock: FrozenClock) -> FileStore:
    return FileStore(clock)


async def test_a_file_comes_back_as_it_was_kept_and_lies_encrypted(files: FileStore, database: Database) -> None:
    owner, content = somebody(), bytes(range(256)) * 40 + b"v1:not a key:"
    kept = await files.keep(owner, content, PNG)
    again = await files.read(owner, kept.id)
    assert (again.media_type, again.content) == (PNG, content)
    rows = await database.connection.execute_query_dict("SELECT content FROM stored_file")
    assert bytes(rows[0]["content"]).startswith(b"v1:")
    assert content[:64] not in bytes(rows[0]["content"])


async def test_files_stand_in_the_order_in_which_they_came(files: FileStore, clock: FrozenClock) -> None:
    owner, kept = somebody(), []
    for number in range(3):
        kept.append((await files.keep(owner, bytes([number]), PNG)).id)
        clock.advance(timedelta(seconds=1))
    assert [each.id for each in await files.of(owner)] == kept
    assert await files.of(somebody()) == []


async def test_nobody_reads_or_discards_a_file_under_another_record(files: FileStore) -> None:
    owner = somebody()
    kept = await files.keep(owner, b"x", PNG)
    for other in (somebody(), Owner("waiver", owner.id)):
        with pytest.raises(FileNotFound):
            await files.read(other, kept.id)
        with pytest.raises(FileNotFound):
            await files.discard(other, kept.id)
    for missing in (str(uuid4()), "no id"):
        with pytest.raises(FileNotFound):
            await files.read(owner, missing)
    await files.discard(owner, kept.id)
    assert await files.of(owner) == []


async def test_a_picture_is_made_anew_and_what_is_none_leaves_nothing(files: FileStore) -> None:
    owner = somebody()
    view = await files.keep_picture(owner, photo())
    assert (view.media_type, view.size) == ("image/jpeg", len((await files.read(owner, view.id)).content))
    for wrong in (b"no picture", b"x" * (MOST_UPLOADED + 1)):
        with pytest.raises(AppError):
            await files.keep_picture(owner, wrong)
    assert len(await files.of(owner)) == 1


async def test_too_large_a_file_is_refused(files: FileStore) -> None:
    with pytest.raises(FileTooLarge):
        await files.keep(somebody(), b"x" * (MOST_BYTES + 1), PNG)


async def test_after_its_term_a_file_cannot_be_read_and_is_removed_with_its_like(
    files: FileStore, clock: FrozenClock
) -> None:
    owner, other = somebody("waiver"), somebody()
    kept = await files.keep(owner, b"paper", PNG)
    await files.keep(other, b"stays", PNG)
    await files.delete_from(owner, clock.now() + timedelta(days=30))
    assert await files.overdue() == []
    clock.advance(timedelta(days=30))
    with pytest.raises(FileNotFound):
        await files.read(owner, kept.id)
    assert [each for each, _ in await files.overdue()] == [owner]
    assert await files.remove_overdue(owner) == 1
    assert await StoredFile.all().count() == 1


async def test_a_copy_outlives_the_original(files: FileStore) -> None:
    owner, other = somebody(), somebody()
    await files.keep(owner, b"picture", PNG)
    await files.copy(owner, other)
    assert await files.discard_all(owner) == 1
    (view,) = await files.of(other)
    assert (await files.read(other, view.id)).content == b"picture"
