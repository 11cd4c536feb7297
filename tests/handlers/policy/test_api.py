"""POST /api/v1/questions: the same answers as the chat."""

from __future__ import annotations

from typing import Any

import pytest
from openapi_spec_validator import validate

from bot.clock import FrozenClock
from tests.town import Town

URL = "/api/v1/questions"


async def asked(town: Town, **body: object) -> dict[str, Any]:
    response = await town.client.post(URL, json=body)
    assert response.status == 200
    answer: dict[str, Any] = await response.json()
    return answer


async def test_a_question_is_answered_as_the_command_line_answers(town: Town) -> None:
    from bot.cli_knowledge import answer_fields
    from knowledge.frame import Asker
    from tests.town import town_base

    answer = await asked(town, text="晚托多少钱")
    day = town.clock.now().date()
    assert answer == answer_fields(town_base().answer("晚托多少钱", Asker(day)))
    assert answer["outcome"] == "answered"
    assert answer["article"] == "care/fee"


async def test_the_chat_says_the_same(town: Town) -> None:
    answer = await asked(town, text="小学报名是几号", place="柳溪镇")
    parent = town.person()
    await parent.says("我在柳溪镇")
    assert await parent.says("小学报名是几号") == answer["answer"]


async def test_the_place_decides(town: Town) -> None:
    assert (await asked(town, text="一个班最多多少人", place="鹤山镇"))["answer"].startswith("每班不超过40人")
    assert (await asked(town, text="一个班最多多少人"))["outcome"] == "clarify"


async def test_danger_is_answered_here_too(town: Town) -> None:
    answer = await asked(town, text="我儿子被同学打了，天天被欺负")
    assert answer["outcome"] == "handed_off"
    assert "110" in answer["answer"]


@pytest.mark.parametrize(
    "body", [{}, {"text": ""}, {"text": "   "}, {"text": 7}, {"text": "问", "role": "admin"}, {"text": "问" * 1001}]
)
async def test_a_wrong_question_is_refused(town: Town, body: dict[str, object]) -> None:
    response = await town.client.post(URL, json=body)
    assert response.status == 422


async def test_without_knowledge_it_says_when_to_come_again(database_url: str, clock: FrozenClock) -> None:
    import asyncio

    from aiohttp.test_utils import TestClient, TestServer

    from bot.app import LIBRARY, build_app
    from tests.settings import make_settings

    app = build_app(make_settings(database={"url": database_url}), clock=clock, worker=False)
    app[LIBRARY].hold()
    async with TestClient(TestServer(app)) as client:
        response = await client.post(URL, json={"text": "晚托多少钱"})
        assert response.status == 503
        assert (await response.json())["error"]["code"] == "knowledge_loading"
        await asyncio.sleep(0)


async def test_the_application_s_description_is_valid(town: Town) -> None:
    document = await (await town.client.get("/api/v1/openapi.json")).json()
    validate(document)
    assert URL in document["paths"]


async def test_nobody_s_question_is_kept_with_a_name(town: Town) -> None:
    from bot.storage.database import DATABASE

    await asked(town, text="我叫王小明，电话13812345678，学校有几个操场")
    await town.log_questions()
    from handlers.policy.models import AskedQuestion

    [row] = await AskedQuestion.all()
    assert row.asker in (None, "")
    assert "王小明" not in row.text
    assert "13812345678" not in row.text
    assert "操场" in row.text
    [raw] = await town.app[DATABASE].connection.execute_query_dict("SELECT * FROM policy_question")
    assert "操场".encode() not in bytes(raw["text"])
