"""Rotation of keys: every encrypted value comes under the first key, while others write, and no change is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from typer.testing import CliRunner

from bot.cli_keys import keys_app, report
from bot.clock import FrozenClock
from bot.config import Settings
from bot.storage import rotation
from bot.storage.base import EncryptedText
from bot.storage.database import Database, open_database
from bot.storage.encryption import KeyRing
from bot.storage.models import ProcessedMessage, ProcessingState
from bot.storage.rotation import Place, Rotation, encrypted_columns, rotate
from bot.storage.schema import model_modules
from tests.settings import OTHER_KEY, TEST_KEY, make_settings, write_config

ROWS = 450


def ring(settings: Settings, keys: str) -> Settings:
    """The same database with other keys."""
    security = {"field_keys": keys}
    return make_settings(database={"url": settings.database.url.get_secret_value()}, security=security)


OLD, BOTH, NEW = f"k1:{TEST_KEY}", f"k2:{OTHER_KEY},k1:{TEST_KEY}", f"k2:{OTHER_KEY}"


@asynccontextmanager
async def filled(settings: Settings, clock: FrozenClock, rows: int = ROWS) -> AsyncIterator[Database]:
    """The database with rows under the old key, then opened with both keys."""
    async with open_database(ring(settings, OLD)):
        await write(clock, range(rows))
    async with open_database(ring(settings, BOTH)) as database:
        yield database


async def write(clock: FrozenClock, numbers: Sequence[int]) -> None:
    now = clock.now()
    state = ProcessingState.DONE
    await ProcessedMessage.bulk_create(
        [
            ProcessedMessage(
                dedupe_key=str(n), openid_index="o", reply=f"答{n}", state=state, created_at=now, updated_at=now
            )
            for n in numbers
        ]
    )


async def keys_in_use(database: Database) -> set[str]:
    rows = await database.connection.execute_query_dict("SELECT reply FROM processed_message WHERE reply IS NOT NULL")
    return {KeyRing.key_of(bytes(row["reply"])) for row in rows}


async def test_every_encrypted_column_of_every_table_is_known(database: Database) -> None:
    import importlib

    from tortoise.models import Model

    found = {
        f"{model._meta.db_table}.{name}"
        for module in model_modules()
        for model in vars(importlib.import_module(module)).values()
        if isinstance(model, type) and issubclass(model, Model) and not model._meta.abstract
        for name, column in model._meta.fields_map.items()
        if isinstance(column, EncryptedText)
    }
    assert {place.name for place in encrypted_columns()} == found
    assert {"accounts_person.phone", "processed_message.reply", "accounts_pupil.id_number"} <= found


async def test_all_values_come_under_the_first_key_and_read_as_before(settings: Settings, clock: FrozenClock) -> None:
    async with filled(settings, clock) as database:
        assert await keys_in_use(database) == {"k1"}
        told: list[tuple[int, int]] = []
        done = await rotate(database, lambda done, total: told.append((done, total)))
        assert await keys_in_use(database) == {"k2"}
    assert (done.rewritten, done.is_complete, done.unused) == (ROWS, True, ["k1"])
    assert told[-1] == (ROWS, ROWS)
    async with open_database(ring(settings, NEW)):
        assert {row.reply for row in await ProcessedMessage.all()} == {f"答{n}" for n in range(ROWS)}


async def test_a_second_run_finds_nothing_to_do(settings: Settings, clock: FrozenClock) -> None:
    async with filled(settings, clock, 5) as database:
        await rotate(database)
        again = await rotate(database)
    assert (again.rewritten, again.is_complete, again.unused) == (0, True, ["k1"])


async def test_a_run_that_was_cut_off_goes_on_where_it_was(settings: Settings, clock: FrozenClock) -> None:
    class CutOff(Exception):
        pass

    def cut(done: int, total: int) -> None:
        raise CutOff

    async with filled(settings, clock) as database:
        with pytest.raises(CutOff):
            await rotate(database, cut)
        assert await keys_in_use(database) == {"k1", "k2"}
        done = await rotate(database)
        assert await keys_in_use(database) == {"k2"}
    assert done.rewritten == ROWS - rotation.BATCH


class Blind(rotation._Work):
    """The control: writes back without looking whether the value is still the one that was read."""

    async def _write(self, place: Place, values: Sequence[tuple[bytes, Any, bytes] | None]) -> None:
        query = f'UPDATE "{place.table}" SET "{place.column}" = {{}} WHERE "{place.key}" = {{}}'
        for value in values:
            if value is not None:
                await self._connection.execute_query(
                    query.format(self._mark.format(1), self._mark.format(2)), list(value[:2])
                )


@pytest.mark.parametrize(("kind", "lost"), [(rotation._Work, 0), (Blind, 20)], ids=["compared", "blind"])
async def test_a_change_made_in_between_is_kept(
    settings: Settings, clock: FrozenClock, kind: type[rotation._Work], lost: int
) -> None:
    place = Place("processed_message", "id", "reply")
    async with filled(settings, clock, 20) as database:
        work = kind(database, Rotation(current="k2"), None)
        rows = await work._batch(place, [])
        for row in rows:
            await ProcessedMessage.filter(id=row["row_key"]).update(reply="改过了")
        await work._write(place, [work._renewed(place, bytes(row["value"]), row["row_key"]) for row in rows])
        kept = sum(row.reply == "改过了" for row in await ProcessedMessage.all())
    assert 20 - kept == lost


async def test_nothing_is_lost_while_others_write(settings: Settings, clock: FrozenClock) -> None:
    """Rows are changed and added by tasks beside the rotation, until it has ended."""
    async with filled(settings, clock) as database:
        stop = asyncio.Event()
        written: dict[str, str] = {}

        async def keep_changing(offset: int) -> None:
            count = 0
            while not stop.is_set():
                key = str((offset + count * 7) % ROWS)
                text = f"改{offset}/{count}"
                await ProcessedMessage.filter(dedupe_key=key).update(reply=text)
                written[key] = text
                count += 1

        # Each has rows of its own, so that the last one written is known.
        writers = [asyncio.create_task(keep_changing(offset)) for offset in (0,)]
        done = await rotate(database)
        await write(clock, [ROWS])
        stop.set()
        await asyncio.gather(*writers)
        assert done.is_complete
        assert await keys_in_use(database) == {"k2"}
        expected = {str(n): f"答{n}" for n in range(ROWS + 1)} | written
        assert {row.dedupe_key: row.reply for row in await ProcessedMessage.all()} == expected
        assert written, "somebody did write"


async def test_a_replica_that_still_writes_with_the_old_key_is_noticed(settings: Settings, clock: FrozenClock) -> None:
    async with filled(settings, clock, 3) as database:
        place = Place("processed_message", "id", "reply")
        old = KeyRing.from_settings(ring(settings, OLD))
        mark = "?" if database.engine == "sqlite" else "$1"

        async def write_old() -> None:
            query = f"UPDATE processed_message SET reply = {mark} WHERE dedupe_key = '1'"
            await database.connection.execute_query(query, [old.encrypt("旧", place.name)])

        work = rotation._Work(database, Rotation(current="k2"), None)
        await rotate(database)
        await write_old()
        left = await work.left(place)
    assert left == {"k1": 1}
    lines = report(Rotation(current="k2", left=left))
    assert any("密钥 k1" in line and "重启" in line for line in lines)


async def test_a_value_whose_key_is_gone_is_told_and_left_alone(settings: Settings, clock: FrozenClock) -> None:
    async with open_database(ring(settings, f"k0:{TEST_KEY}")):
        await write(clock, range(2))
    async with open_database(ring(settings, BOTH)) as database:
        done = await rotate(database)
        assert await keys_in_use(database) == {"k0"}
    assert (done.is_complete, done.left, done.unreadable) == (False, {"?": 2}, {"processed_message.reply": 2})
    assert any("打不开" in line for line in report(done))


def test_the_command_says_which_key_may_go(settings: Settings, tmp_path: Any) -> None:
    config = write_config(ring(settings, BOTH), tmp_path / "config.toml")
    result = CliRunner().invoke(keys_app, ["rotate", "--config", str(config)])
    assert result.exit_code == 0, result.output
    assert "密钥 k1 已没有字段在用" in result.output
