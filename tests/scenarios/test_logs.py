"""What the logs of a whole story hold of the people in it: nothing."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.app import METRICS
from bot.audit.sealer import Sealer
from bot.clock import FrozenClock
from bot.logs import configure_logs, get_logger
from bot.storage.backup_tables import tables
from bot.storage.database import DATABASE
from bot.storage.fields import EncryptedText
from tests.scenarios.test_binding import FATHER, MOTHER, STRANGER, TEACHER, Village, settle
from tests.scenarios.test_hand_over import hand_over
from tests.town import OWNER, PARENT, running_town

SAID = "我叫王小明，孩子在柳溪小学，电话13812345678，身份证32130219900307123X，想转学"
# Columns in clear that hold what people are called.
NAMES = {"accounts_pupil": "name", "accounts_person": "name"}


@pytest.fixture
def stream() -> io.StringIO:
    """Everything that is logged, as the product writes it."""
    written = io.StringIO()
    configure_logs(stream=written)
    return written


@pytest.fixture
async def village(database_url: str, clock: FrozenClock, stream: io.StringIO) -> AsyncIterator[Village]:
    async with running_town(database_url, clock) as town:
        yield await settle(town)


async def secrets_of(village: Village) -> set[str]:
    """Every name, and every value kept encrypted, in the database after the story; and all ids of WeChat."""
    connection = village.town.app[DATABASE].connection
    found = {MOTHER, FATHER, STRANGER, TEACHER, PARENT, OWNER, "13812345678", "32130219900307123X", "王小明"}
    for table in tables():
        wanted = [
            column
            for column in table.columns
            if isinstance(column.field, EncryptedText) or NAMES.get(table.name) == column.name
        ]
        for row in await connection.execute_query_dict(table.select()):
            values: list[Any] = [column.field.to_python_value(row[column.name]) for column in wanted]
            found |= {str(value) for value in values if value}
    return {secret for secret in found if len(secret) > 1}


async def live(village: Village) -> None:
    """Binding that fails and that succeeds, questions, a hand-over with an answer, deliveries, refusals."""
    town = village.town
    stranger = town.person(STRANGER)
    slip = await village.slip()
    await stranger.says(f"绑定 {slip.code}")
    await stranger.says("同意")
    await stranger.says("王小明 2011年1月1日")
    await stranger.says("退出")
    await village.bound(MOTHER)
    await hand_over(town, MOTHER, SAID)
    await town.person(OWNER).says("回复 1 王小明家长您好，请带户口本来")
    await town.person(MOTHER).says("解除绑定")
    await town.person(MOTHER).says("绑定 ABCD-EFGH")
    await town.deliver()
    for path in ("/api/v1/children", f"/api/v1/bindings/{village.pupil.id}", "/api/v1/nothing?name=王小明"):
        async with town.client.get(path, headers={"Authorization": f"Bearer {MOTHER}"}) as response:
            await response.read()
    await town.log_questions()
    await Sealer(town.clock, town.app[METRICS]).seal_due()


async def test_no_name_no_number_and_no_id_of_anybody_is_in_the_logs(village: Village, stream: io.StringIO) -> None:
    await live(village)
    written = stream.getvalue()
    secrets = await secrets_of(village)
    assert len(secrets) > 15
    assert [secret for secret in secrets if secret in written] == []
    assert written.count("\n") > 10, "something was logged"


async def test_a_name_that_were_logged_would_be_found(village: Village, stream: io.StringIO) -> None:
    """The control."""
    get_logger("tests.logs").info("careless", detail=f"{village.pupil.name} was bound")
    assert [secret for secret in await secrets_of(village) if secret in stream.getvalue()] == [village.pupil.name]
