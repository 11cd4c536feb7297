"""Backup and restore: consistent while others write, unreadable without the key, all or nothing on the way back."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import typer
from tortoise.exceptions import OperationalError
from tortoise.fields import JSONField
from typer.testing import CliRunner, Result

from bot import cli_backup
from bot.audit.models import AuditRow
from bot.audit.sealer import Sealer
from bot.audit.verification import verify
from bot.clock import SHANGHAI, FrozenClock
from bot.config import Settings
from bot.metrics import Metrics
from bot.storage.backup import ERASURES_FILE, backup, open_snapshot, read_erasures, write_erasures
from bot.storage.backup_file import (
    FRAME,
    BackupDamaged,
    BackupKeyMissing,
    BackupWriter,
    FileInTheWay,
    read_head,
    read_lines,
)
from bot.storage.backup_restore import (
    BackupTooNew,
    DatabaseNotEmpty,
    OtherIndexKey,
    erased_in,
    inspect,
    restore,
)
from bot.storage.backup_tables import Column, tables
from bot.storage.database import Database, open_database, transaction
from bot.storage.encryption import KeyRing
from bot.storage.erasures import ErasureNote
from bot.storage.migration import migrate
from handlers.accounts.domain import AppointmentKind
from handlers.accounts.models import Guardianship, Person, Pupil, School, SchoolClass, Township
from handlers.consent.models import ConsentEvent, ErasureRow
from tests import factories
from tests.bot.audit.stage import look_up_many
from tests.servers import PostgresServer
from tests.settings import OTHER_KEY, TEST_KEY, make_settings, sqlite_url, write_config

FreshUrl = Callable[[], str]


@pytest.fixture
def fresh(databases: Any, database_url: str) -> Iterable[FreshUrl]:
    """Further empty, migrated databases on the engine of this run."""
    made: list[str] = []

    def make() -> str:
        # In a thread, because it runs a loop of its own and tests ask for it inside theirs.
        with ThreadPoolExecutor(1) as thread:
            made.append(thread.submit(databases.fresh).result())
        return made[-1]

    yield make
    for url in made:
        databases.discard(url)


def at(url: str, keys: str = f"k1:{TEST_KEY}", index_key: str = TEST_KEY) -> Settings:
    return make_settings(database={"url": url}, security={"field_keys": keys, "blind_index_key": index_key})


async def nothing_to_replay(notes: Sequence[ErasureNote]) -> None:
    raise AssertionError(f"nothing was erased since: {notes}")


async def populate(clock: FrozenClock) -> None:
    """Rows of every kind of column, references in both directions of their ids, and a sealed audit with a gap."""
    school = await factories.make_school(place="宿城区")
    await factories.make_school(await Township.get(id=school.township_id), parent_id=school.id)
    for grade in (1, 2):
        first = await factories.make_class(school, grade=grade)
        await factories.make_class(school, grade=grade + 1, school_year=2027, promoted_from_id=first.id)
        pupil = await factories.make_pupil(first, id_number="32130220170506001X")
        await factories.make_guardianship(pupil)
        await factories.make_appointment(AppointmentKind.HEAD_TEACHER, school_class=first)
        await ConsentEvent.create(
            pupil_id=pupil.id, decision="given", notice_version="1", channel="chat", items=["照片", {"a": None}],
            created_at=clock.now(), updated_at=clock.now() + timedelta(microseconds=7),
        )  # fmt: skip
    await factories.make_identity("demo_g_000001", await Person.first())
    await look_up_many(clock, 3)
    await AuditRow.create(
        id=9, at=clock.now(), roles="teacher", door="api", action="pupil.view", outcome="done", fields_seen=["名"]
    )
    await Sealer(clock, Metrics()).seal_due()


async def digest(database: Database) -> str:
    """Of all rows of all tables, in an order that does not depend on the engine."""
    lines = []
    for table in tables():
        for row in await database.connection.execute_query_dict(table.select()):
            values = [_comparable(column, row[column.name]) for column in table.columns]
            lines.append(json.dumps([table.name, *values], sort_keys=True))
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def _comparable(column: Column, stored: Any) -> Any:
    """JSON is written with other spaces by each engine."""
    value = column.plain(stored)
    return json.loads(value) if isinstance(column.field, JSONField) and value is not None else value


@asynccontextmanager
async def backed_up(settings: Settings, clock: FrozenClock, path: Path) -> AsyncIterator[tuple[Database, str]]:
    async with open_database(settings) as database:
        await populate(clock)
        await backup(settings, database, path, clock=clock)
        yield database, await digest(database)


# ----------------------------------------------------------------------------------------------------------- the file
def ring(keys: str = "k1") -> KeyRing:
    return KeyRing({keys: bytes(32)}, bytes(32))


def written(path: Path, clock: FrozenClock, lines: Iterable[Any]) -> Path:
    writer = BackupWriter(path, ring(), clock.now())
    for line in lines:
        writer.line(line)
    writer.commit()
    return path


TAG = 16
# So that it takes several frames after compression.
LONG = [[n, hashlib.sha256(str(n).encode()).hexdigest() * 8] for n in range(16_000)]


@pytest.fixture(scope="module")
def long_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    clock = FrozenClock(datetime(2026, 9, 1, tzinfo=SHANGHAI))
    return written(tmp_path_factory.mktemp("long") / "b.xxb", clock, LONG)


def test_what_is_written_can_be_read_in_order(long_file: Path) -> None:
    assert long_file.stat().st_size > 2 * FRAME
    assert list(read_lines(long_file, ring())) == LONG


def test_a_file_of_one_line_and_of_none(tmp_path: Path, clock: FrozenClock) -> None:
    assert list(read_lines(written(tmp_path / "a", clock, ["一"]), ring())) == ["一"]
    assert list(read_lines(written(tmp_path / "b", clock, []), ring())) == []


@pytest.mark.parametrize("size", range(FRAME - 2048, FRAME + 6144, 1024))
def test_no_frame_is_longer_than_the_others_wherever_a_file_ends(tmp_path: Path, clock: FrozenClock, size: int) -> None:
    """The packer holds some thousands of bytes back until the end: one file in 25 could not be read again."""
    lines = [base64.b64encode(hashlib.sha512(str(n).encode()).digest()).decode() for n in range(size // 67)]
    path = written(tmp_path / "a", clock, lines)
    assert max(map(len, frames_of(path.read_bytes())[1])) <= 4 + FRAME + TAG
    assert list(read_lines(path, ring())) == lines


def frames_of(content: bytes) -> tuple[bytes, list[bytes]]:
    top = content.index(b"\n", content.index(b"\n") + 1) + 1
    frames, place = [], top
    while place < len(content):
        size = 4 + int.from_bytes(content[place : place + 4], "big")
        frames.append(content[place : place + size])
        place += size
    return content[:top], frames


def flip(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "a bit in the middle": lambda content: flip(content, len(content) // 2),
    "a bit at the end": lambda content: flip(content, len(content) - 1),
    "the moment on the outside": lambda content: content.replace(b'"made_at": "2026', b'"made_at": "2025'),
    "the last frame left out": lambda content: frames_of(content)[0] + b"".join(frames_of(content)[1][:-1]),
    "a frame left out": lambda content: frames_of(content)[0] + b"".join(frames_of(content)[1][1:]),
    "two frames swapped": lambda content: (
        frames_of(content)[0] + b"".join([*frames_of(content)[1][1::-1], *frames_of(content)[1][2:]])
    ),
    "a frame twice": lambda content: content + frames_of(content)[1][-1],
    "the end cut off": lambda content: content[:-10],
    "nothing but the top": lambda content: frames_of(content)[0],
    "something else": lambda content: b"PK" + content,
    "nothing": lambda content: b"",
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_file_is_recognised(long_file: Path, tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    content = long_file.read_bytes()
    damaged = tmp_path / "damaged.xxb"
    damaged.write_bytes(damage(content))
    assert damaged.read_bytes() != content
    with pytest.raises(BackupDamaged):
        list(read_lines(damaged, ring()))


def test_another_key_does_not_open_it(long_file: Path) -> None:
    with pytest.raises(BackupKeyMissing):
        list(read_lines(long_file, ring("k2")))
    with pytest.raises(BackupDamaged):
        list(read_lines(long_file, KeyRing({"k1": bytes([1]) * 32}, bytes(32))))


def test_only_the_owner_may_read_it_and_no_file_is_written_over(tmp_path: Path, clock: FrozenClock) -> None:
    path = written(tmp_path / "a.xxb", clock, [1])
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileInTheWay):
        BackupWriter(path, ring(), clock.now())


def test_a_backup_that_came_to_nothing_leaves_nothing(tmp_path: Path, clock: FrozenClock) -> None:
    BackupWriter(tmp_path / "a.xxb", ring(), clock.now()).discard()
    assert list(tmp_path.iterdir()) == []


# ------------------------------------------------------------------------------------------------------- there and back
async def test_all_rows_come_back_as_they_were(
    settings: Settings, clock: FrozenClock, tmp_path: Path, fresh: FreshUrl
) -> None:
    async with backed_up(settings, clock, tmp_path / "a.xxb") as (_, before):
        pass
    target = at(fresh())
    async with open_database(target) as database:
        told: list[tuple[int, int]] = []
        done = await restore(
            database, tmp_path / "a.xxb", nothing_to_replay, progress=lambda *numbers: told.append(numbers)
        )
        assert await digest(database) == before
        assert told[-1] == (done.content.rows.total(),) * 2
        assert (await School.exclude(parent_id=None).get()).parent_id is not None
        assert (await Pupil.first()).id_number == "32130220170506001X"  # type: ignore[union-attr]
        found = await verify()
        assert (found.holds, found.sealed, [gap.size for gap in found.noted]) == (True, 4, [5])


async def test_numbers_go_on_beyond_the_highest_ever_given(
    settings: Settings, clock: FrozenClock, tmp_path: Path, fresh: FreshUrl
) -> None:
    async with backed_up(settings, clock, tmp_path / "a.xxb"):
        pass
    async with open_database(at(fresh())) as database:
        await restore(database, tmp_path / "a.xxb", nothing_to_replay)
        await look_up_many(clock, 2)
        last = await AuditRow.all().order_by("-id").limit(2)
        assert [row.id for row in last] == [11, 10]
        await Sealer(clock, Metrics()).seal_due()
        assert (await verify()).holds


async def test_names_and_numbers_are_not_in_the_file(settings: Settings, clock: FrozenClock, tmp_path: Path) -> None:
    async with backed_up(settings, clock, tmp_path / "a.xxb"):
        name = (await Pupil.all())[0].name
    content = (tmp_path / "a.xxb").read_bytes()
    for secret in (name.encode(), b"accounts_pupil", bytes(range(32)), TEST_KEY.encode()):
        assert secret not in content
    assert read_head(tmp_path / "a.xxb").key == "k1"


@pytest.mark.engine("postgres")
@pytest.mark.parametrize("way", ["sqlite to postgres", "postgres to sqlite"])
async def test_a_backup_of_one_engine_fits_the_other(
    postgres: PostgresServer, clock: FrozenClock, tmp_path: Path, way: str
) -> None:
    name = f"cross_{uuid4().hex}"
    urls = {"sqlite": sqlite_url(tmp_path / "a.db"), "postgres": await postgres.create(name)}
    source, target = (at(urls[engine]) for engine in way.split(" to "))
    await migrate(source)
    await migrate(target)
    async with backed_up(source, clock, tmp_path / "a.xxb") as (_, before):
        pass
    async with open_database(target) as database:
        await restore(database, tmp_path / "a.xxb", nothing_to_replay)
        assert await digest(database) == before
        assert (await verify()).holds
        await look_up_many(clock, 1)
    await postgres.drop(name)


# ------------------------------------------------------------------------------------------------ while others write
async def pairs(stop: asyncio.Event, clock: FrozenClock) -> int:
    """Adds a grown-up and a child they look after in one transaction, again and again; how many."""
    school_class = await factories.make_class()
    count = 0
    while not stop.is_set():
        async with transaction():
            await factories.make_guardianship(await factories.make_pupil(school_class))
        count += 1
        await asyncio.sleep(0)
    return count


async def test_a_backup_taken_while_others_write_is_consistent(
    settings: Settings, clock: FrozenClock, tmp_path: Path, fresh: FreshUrl
) -> None:
    async with open_database(settings) as database:
        stop = asyncio.Event()
        writers = [asyncio.create_task(pairs(stop, clock)) for _ in range(3)]
        while await Guardianship.all().count() < 20:  # noqa: ASYNC110 - it waits for the database
            await asyncio.sleep(0.005)
        files = [tmp_path / f"{number}.xxb" for number in range(3)]
        for file in files:
            await backup(settings, database, file, clock=clock)
        stop.set()
        assert sum(await asyncio.gather(*writers)) > 20
        counts = [inspect(file, database.keys).rows["accounts_guardianship"] for file in files]
    assert counts[0] < counts[-1], "the writers went on meanwhile"
    for file, count in zip(files, counts, strict=True):
        async with open_database(at(fresh())) as restored:
            await restore(restored, file, nothing_to_replay)
            assert await Pupil.all().count() == await Person.all().count() == await Guardianship.all().count() == count


async def test_one_snapshot_sees_one_moment_and_separate_ones_do_not(settings: Settings, clock: FrozenClock) -> None:
    """The second half is the control."""
    count = "SELECT COUNT(*) FROM accounts_township"
    async with open_database(settings):
        async with open_snapshot(settings) as snapshot:
            before = await snapshot.value(count)
            await factories.make_township()
            assert await snapshot.value(count) == before
        async with open_snapshot(settings) as snapshot:
            assert await snapshot.value(count) == 1


# ------------------------------------------------------------------------------------------------------------ refusals
async def test_a_database_with_rows_is_refused_and_left_alone(
    settings: Settings, clock: FrozenClock, tmp_path: Path, fresh: FreshUrl
) -> None:
    async with backed_up(settings, clock, tmp_path / "a.xxb"):
        pass
    async with open_database(at(fresh())) as database:
        await factories.make_township()
        before = await digest(database)
        with pytest.raises(DatabaseNotEmpty):
            await restore(database, tmp_path / "a.xxb", nothing_to_replay)
        assert await digest(database) == before


async def test_a_damaged_backup_writes_nothing(
    settings: Settings, clock: FrozenClock, tmp_path: Path, fresh: FreshUrl
) -> None:
    path = tmp_path / "a.xxb"
    async with backed_up(settings, clock, path):
        pass
    path.write_bytes(flip(path.read_bytes(), path.stat().st_size - 5))
    async with open_database(at(fresh())) as database:
        with pytest.raises(BackupDamaged):
            await restore(database, path, nothing_to_replay)
        assert await Township.all().count() == 0


async def test_a_failure_on_the_way_leaves_the_database_empty(
    settings: Settings, clock: FrozenClock, tmp_path: Path, fresh: FreshUrl
) -> None:
    async with backed_up(settings, clock, tmp_path / "a.xxb"):
        pass

    class Stopped(Exception):
        pass

    def stop(done: int, total: int) -> None:
        if done == total:
            raise Stopped

    async with open_database(at(fresh())) as database:
        with pytest.raises(Stopped):
            await restore(database, tmp_path / "a.xxb", nothing_to_replay, progress=stop)
        assert await Township.all().count() == 0
        await restore(database, tmp_path / "a.xxb", nothing_to_replay)


@pytest.mark.parametrize(
    ("keys", "index_key", "error"),
    [
        (f"k2:{OTHER_KEY}", TEST_KEY, BackupKeyMissing),
        (f"k1:{TEST_KEY}", OTHER_KEY, OtherIndexKey),
    ],
    ids=["without the key of the file", "with another key of the blind indexes"],
)
async def test_other_keys_are_told_before_anything_is_written(
    settings: Settings, clock: FrozenClock, tmp_path: Path, fresh: FreshUrl, keys: str, index_key: str, error: type
) -> None:
    async with backed_up(settings, clock, tmp_path / "a.xxb"):
        pass
    async with open_database(at(fresh(), keys, index_key)) as database:
        with pytest.raises(error):
            await restore(database, tmp_path / "a.xxb", nothing_to_replay)
        assert await Township.all().count() == 0


async def test_a_key_of_the_values_must_be_there_too(
    settings: Settings, clock: FrozenClock, tmp_path: Path, fresh: FreshUrl
) -> None:
    url = settings.database.url.get_secret_value()
    async with open_database(settings):
        await factories.make_person()
    rotated = at(url, f"k2:{OTHER_KEY},k1:{TEST_KEY}")
    async with open_database(rotated) as database:
        await backup(rotated, database, tmp_path / "a.xxb", clock=clock)
    async with open_database(at(fresh(), f"k2:{OTHER_KEY}")) as database:
        with pytest.raises(BackupKeyMissing) as missing:
            await restore(database, tmp_path / "a.xxb", nothing_to_replay)
        assert missing.value.details == {"keys": ["k1"]}


async def test_a_backup_of_a_newer_program_is_refused(database: Database, clock: FrozenClock, tmp_path: Path) -> None:
    writer = BackupWriter(tmp_path / "a.xxb", database.keys, clock.now())
    writer.line({"kind": "backup", "migrations": ["9999_later"], "blind_index": ""})
    writer.line({"rows": {}})
    writer.commit()
    with pytest.raises(BackupTooNew):
        await restore(database, tmp_path / "a.xxb", nothing_to_replay)


async def test_a_backup_of_an_older_program_fits(database: Database, clock: FrozenClock, tmp_path: Path) -> None:
    """One column that was added since is missing in the file; it gets what the table gives it."""
    writer = BackupWriter(tmp_path / "a.xxb", database.keys, clock.now())
    mark = database.keys.blind_index("backup", "mark")
    writer.line({"kind": "backup", "migrations": ["0001_initial"], "blind_index": mark})
    columns = ["id", "created_at", "updated_at", "name", "county", "province"]
    writer.line({"table": "accounts_township", "columns": columns, "counter": None})
    now = clock.now().isoformat()
    writer.line([str(uuid4()), now, now, "甲镇", "", ""])
    writer.line({"rows": {"accounts_township": 1}})
    writer.commit()
    await restore(database, tmp_path / "a.xxb", nothing_to_replay)
    assert (await Township.get()).name == "甲镇"


# ------------------------------------------------------------------------------------------------------------ erasures
async def erase(clock: FrozenClock, pupil_id: str) -> None:
    """As a capability does: the data go, and a note stays."""
    now = clock.now()
    await Pupil.filter(id=pupil_id).update(id_number=None)
    await ErasureRow.create(kind="child", subject_id=pupil_id, done_at=now, created_at=now, updated_at=now)


@pytest.mark.parametrize("source", ["the list beside it", "a list given", "a newer backup", "the old database"])
async def test_what_was_erased_since_is_erased_again(
    settings: Settings, clock: FrozenClock, tmp_path: Path, fresh: FreshUrl, source: str
) -> None:
    async with backed_up(settings, clock, tmp_path / "a.xxb") as (database, _):
        pupil = (await Pupil.all().order_by("id"))[0]
        clock.advance(timedelta(hours=1))
        await erase(clock, str(pupil.id))
        lists: list[Path] = []
        if source == "the list beside it":
            await backup(settings, database, tmp_path / "b.xxb", clock=clock)
            lists = [tmp_path / ERASURES_FILE]
        if source == "a list given":
            lists = [tmp_path / "elsewhere.xxb"]
            await write_erasures(settings, database, lists[0], clock=clock)
        if source == "a newer backup":
            lists = [tmp_path / "b.xxb"]
            await backup(settings, database, lists[0], clock=clock)
        elsewhere = await erased_in(database) if source == "the old database" else []
    replayed: list[ErasureNote] = []

    async def replay(notes: Sequence[ErasureNote]) -> None:
        replayed.extend(notes)
        for note in notes:
            await erase(clock, note.subject_id)

    async with open_database(at(fresh())) as database:
        done = await restore(database, tmp_path / "a.xxb", replay, erasure_lists=lists, erased_elsewhere=elsewhere)
        assert (await Pupil.get(id=pupil.id)).id_number is None
        assert await Pupil.exclude(id=pupil.id).filter(id_number=None).count() == 0
    assert done.erasures == 1
    assert replayed == [ErasureNote("child", str(pupil.id), clock.now())]


async def test_an_erasure_that_fails_brings_nothing_back(
    settings: Settings, clock: FrozenClock, tmp_path: Path, fresh: FreshUrl
) -> None:
    async with backed_up(settings, clock, tmp_path / "a.xxb") as (database, _):
        await erase(clock, str(uuid4()))
        await write_erasures(settings, database, tmp_path / "list.xxb", clock=clock)

    async def fail(notes: Sequence[ErasureNote]) -> None:
        raise OperationalError("out of order")

    async with open_database(at(fresh())) as database:
        with pytest.raises(OperationalError):
            await restore(database, tmp_path / "a.xxb", fail, erasure_lists=[tmp_path / "list.xxb"])
        assert await SchoolClass.all().count() == 0


async def test_a_list_never_forgets_what_an_older_one_knew(
    settings: Settings, clock: FrozenClock, tmp_path: Path, fresh: FreshUrl
) -> None:
    path, other = tmp_path / ERASURES_FILE, at(fresh())
    async with open_database(settings) as database:
        await erase(clock, str(UUID(int=1)))
        await write_erasures(settings, database, path, clock=clock)
    async with open_database(other) as database:
        await erase(clock, str(UUID(int=2)))
        await write_erasures(other, database, path, clock=clock)
        assert {row["subject_id"] for row in read_erasures(path, database.keys)} == {
            str(UUID(int=1)),
            str(UUID(int=2)),
        }


async def test_every_column_of_every_table_has_a_place(database: Database) -> None:
    names = {table.name for table in tables()}
    assert {"accounts_pupil", "audit_entry", "audit_seal", "outbox_message", "consent_erasure"} <= names
    order = [table.name for table in tables()]
    assert order.index("accounts_township") < order.index("accounts_school") < order.index("accounts_pupil")


# --------------------------------------------------------------------------------------------------------- the commands
def command(function: Callable[..., Any], *arguments: object) -> Result:
    app = typer.Typer()
    app.command()(function)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_the_commands_bring_everything_into_a_new_database(
    settings: Settings, clock: FrozenClock, tmp_path: Path, fresh: FreshUrl
) -> None:
    before = write_config(settings, tmp_path / "before.toml")
    after = write_config(at(fresh()), tmp_path / "after.toml")

    async def fill() -> None:
        async with open_database(settings):
            await populate(clock)

    asyncio.run(fill())
    file = tmp_path / "a.xxb"
    written = command(cli_backup.backup, file, "--config", before)
    assert written.exit_code == 0, written.output
    assert command(cli_backup.backup, file, "--config", before).exception is not None, "never written over"
    restored = command(cli_backup.restore, file, "--config", after, "--old", before)
    assert restored.exit_code == 0, restored.output
    assert "已恢复" in restored.output
    assert "没有找到备份之后的删除记录" in restored.output
    assert isinstance(command(cli_backup.restore, file, "--config", after).exception, DatabaseNotEmpty)
    assert command(cli_backup.backup, tmp_path / "list.xxb", "--erasures-only", "--config", after).exit_code == 0
