"""Imports beside each other, and beside everybody else."""

from __future__ import annotations

import asyncio
import time

import pytest

from handlers.accounts.models import Person, Pupil
from handlers.rosters.domain import ImportState, StillRunning
from handlers.rosters.models import Import
from handlers.rosters.service.imports import Choice
from tests.handlers.rosters.made_up import pupils, workbook
from tests.handlers.rosters.stage import Stage, digest_of_people


async def test_two_people_apply_the_same_list_at_once(stage: Stage) -> None:
    """One of both gets through; the other is told to look again, and nobody is there twice."""
    content = workbook(pupils(60, seed=21))
    first, second = await stage.read(content), await stage.read(content)
    for view in (first, second):
        await stage.service.apply(stage.leader, view.id, Choice())
    for view in (first, second):
        await stage.service.finished(view.id)
    states = sorted([(await stage.service.look(stage.leader, view.id)).state for view in (first, second)])
    assert states == [ImportState.APPLIED, ImportState.READY]
    assert await Pupil.all().count() == 60


async def test_two_taps_apply_an_import_once(stage: Stage) -> None:
    view = await stage.read(workbook(pupils(30, seed=22)))
    await stage.service.apply(stage.leader, view.id, Choice())
    with pytest.raises(StillRunning):
        await stage.service.apply(stage.leader, view.id, Choice())
    await stage.service.finished(view.id)
    assert await Pupil.all().count() == 30


async def test_a_number_taken_in_between_leaves_nothing(stage: Stage) -> None:
    """The last row meets a number that another child was given after the dry run."""
    rows = pupils(70, seed=23)
    view = await stage.read(workbook(rows))
    last = next(row for row in reversed(rows) if "id_number" in row)
    await stage.take(workbook([{"class": "一(1)班", "name": "后来的", "id_number": last["id_number"]}]))
    before = await digest_of_people()
    stays = await stage.apply(view)
    assert stays.state is ImportState.READY
    assert "重新核对" in stays.failure
    assert await digest_of_people() == before


async def test_progress_is_told_while_it_runs(stage: Stage) -> None:
    view = await stage.read(workbook(pupils(400, seed=24)))
    await stage.service.apply(stage.leader, view.id, Choice())
    told = {stage.running.progress_of(row.id) for row in await Import.filter(id=view.id)}
    while not await stage.service.finished(view.id, 0.02):
        told.add(stage.running.progress_of((await Import.get(id=view.id)).id))
    assert len(told - {None}) >= 2
    assert (await stage.service.look(stage.leader, view.id)).progress == 100
    assert await Person.all().count() > 400


async def test_others_are_not_kept_waiting(stage: Stage) -> None:
    """Held up for long by neither reading, thinking nor writing; the figures proper are in tests/bench.

    What counts is the work of the loop's own thread between two beats, however busy the machine is.
    """
    content = workbook(pupils(600, seed=25))
    held: list[float] = []

    async def heart() -> None:
        while True:
            worked = time.thread_time()
            await asyncio.sleep(0.005)
            held.append(time.thread_time() - worked)

    beating = asyncio.create_task(heart())
    await stage.take(content)
    beating.cancel()
    assert sorted(held)[int(len(held) * 0.95)] < 0.1
