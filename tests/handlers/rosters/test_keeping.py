"""Uploads are kept for a term, and no longer than the child they tell of."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.clock import FrozenClock, local_date
from handlers.accounts.models import Pupil
from handlers.rosters.domain import MoveNotAllowed
from handlers.rosters.models import Import, ImportChange, ImportPage
from handlers.rosters.service.keeping import KEPT_DAYS, UploadKeeper
from tests.handlers.rosters.made_up import pupils, workbook
from tests.handlers.rosters.stage import Stage


async def test_after_the_term_the_rows_go_and_the_history_stays(stage: Stage, clock: FrozenClock) -> None:
    done = await stage.take(workbook(pupils(3, seed=1)))
    keeper = UploadKeeper()
    clock.advance(timedelta(days=KEPT_DAYS))
    assert await keeper.due(local_date(clock.now())) == []
    clock.advance(timedelta(days=1))
    (due,) = await keeper.due(local_date(clock.now()))
    for _ in range(2):
        await keeper.dispose(due)
    assert (await ImportPage.all().count(), await ImportChange.all().count()) == (0, 0)
    assert await keeper.due(local_date(clock.now())) == []
    (view,) = await stage.service.history(stage.leader)
    assert not view.can_undo
    with pytest.raises(MoveNotAllowed, match="到期"):
        await stage.service.undo(stage.leader, done.id)
    assert await Pupil.all().count() == 3


async def test_an_erased_child_leaves_no_upload_behind(stage: Stage) -> None:
    first = await stage.take(workbook(pupils(3, seed=1)))
    other = await stage.take(workbook(pupils(3, seed=2, offset=50)))
    child = await Pupil.all().order_by("created_at", "name").first()
    assert child is not None
    keeper = UploadKeeper()
    await keeper.erase_child(str(child.id), keep_duty=True)
    assert await Import.filter(head__isnull=False).count() == 2
    await keeper.erase_child(str(child.id), keep_duty=False)
    kept = await Import.filter(head__isnull=False)
    assert len(kept) == 1
    assert str(kept[0].id) in (first.id, other.id)
    assert await ImportPage.exclude(source_id=kept[0].id).count() == 0
