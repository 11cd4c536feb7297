"""An import whose process dies is whole or absent."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from bot.clock import FrozenClock
from bot.config import Settings
from bot.storage.database import open_database
from handlers.accounts.models import Pupil
from handlers.rosters.domain import ImportState
from handlers.rosters.models import Import, ImportChange
from tests.handlers.rosters.made_up import pupils, workbook
from tests.handlers.rosters.stage import Stage, digest_of_people, make_stage
from tests.programs import PIPE, Program

OLD, NEW = 40, 260


@pytest.mark.slow
async def test_a_killed_import_is_whole_or_absent(settings: Settings, clock: FrozenClock, tmp_path: Path) -> None:
    await kill_often(settings, clock, tmp_path, times=3)


@pytest.mark.trial
async def test_fifty_killed_imports_are_whole_or_absent(settings: Settings, clock: FrozenClock, tmp_path: Path) -> None:
    await kill_often(settings, clock, tmp_path, times=50)


async def kill_often(settings: Settings, clock: FrozenClock, folder: Path, *, times: int) -> None:
    """Kills at random moments of the writing; what was whole is taken back before the next."""
    rows = pupils(OLD, seed=1)
    file = folder / "roster.xlsx"
    changed = [row | {"phone1": "177" + row["phone1"][3:]} for row in rows]
    file.write_bytes(workbook([*changed, *pupils(NEW, seed=2, offset=1000)]))
    async with open_database(settings):
        stage = await make_stage(clock)
        await stage.take(workbook(rows))
        before = await digest_of_people()
    url = settings.database.url.get_secret_value()
    command = ["tests.handlers.rosters.process", url, str(stage.school.id), str(file)]
    took = run(command, None)
    assert await taken_back(settings, stage, before), "without a kill it is whole"
    chance = random.Random(times)
    outcomes = []
    # Spread over the whole of the writing, the first right at its beginning: no such run can be done by then.
    for number in range(times):
        run(command, (number + chance.random() * (number > 0)) / times * took * 1.2)
        outcomes.append(await taken_back(settings, stage, before))
    print(f"{sum(outcomes)} of {times} were whole, {times - sum(outcomes)} absent; {took:.1f} s each")
    assert not all(outcomes), "some of the kills must have come in time"


def run(command: list[str], kill_after_s: float | None) -> float:
    """How long the writing took, or until it was killed."""
    with Program(*command, stdout=PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"applying\n"
        start = time.monotonic()
        if kill_after_s is None:
            assert process.stdout.readline() == b"applied\n"
        else:
            time.sleep(kill_after_s)
            process.kill()
        took = time.monotonic() - start
        process.wait()
        return took


async def taken_back(settings: Settings, stage: Stage, before: str) -> bool:
    """True for an import that was whole, and was then taken back; False for one that left nothing."""
    async with open_database(settings):
        latest = await Import.all().order_by("-created_at", "-id").first()
        done = await Import.filter(state=ImportState.APPLIED).order_by("-applied_at").first()
        assert latest is not None
        assert done is not None
        if await Import.filter(state=ImportState.APPLIED).count() == 1:
            assert await digest_of_people() == before
            assert await ImportChange.filter(source__state=ImportState.READY).count() == 0
            await Import.filter(state=ImportState.READY).delete()
            return False
        assert await Pupil.all().count() == OLD + NEW
        view = await stage.undo(await stage.service.look(stage.leader, str(done.id)))
        assert view.state is ImportState.UNDONE, view.failure
        assert await digest_of_people() == before
        return True
