from __future__ import annotations

import pytest

from knowledge.places import Bond, Gazetteer
from tests.knowledge.content import small_base


@pytest.fixture
def gazetteer() -> Gazetteer:
    return small_base().gazetteer


def bonds(gazetteer: Gazetteer, place: str) -> dict[str, Bond]:
    return dict(gazetteer.locate(place).bonds)


def test_a_town_is_known_by_name_short_name_school_and_village(gazetteer: Gazetteer) -> None:
    assert bonds(gazetteer, "柳溪镇") == {"liuxi": Bond.OWN}
    assert bonds(gazetteer, "柳溪") == {"liuxi": Bond.OWN}
    assert bonds(gazetteer, "河东村") == {"liuxi": Bond.NAMED}


def test_a_province_holds_the_plans_within_it(gazetteer: Gazetteer) -> None:
    assert bonds(gazetteer, "江北省") == {"liuxi": Bond.WITHIN}
    assert bonds(gazetteer, "江北") == {"liuxi": Bond.WITHIN}


def test_an_unknown_place_has_no_plan(gazetteer: Gazetteer) -> None:
    assert not gazetteer.locate("火星镇").known


def test_a_place_in_brackets_is_found(gazetteer: Gazetteer) -> None:
    assert bonds(gazetteer, "镇上(桥头小学片区)") == {"liuxi": Bond.NAMED}


def test_a_place_named_in_the_question_leaves_its_text_but_a_school_stays(gazetteer: Gazetteer) -> None:
    where, rest = gazetteer.named_in("柳溪镇小学报名是几号")
    assert where is not None
    assert where.bonds == {"liuxi": Bond.OWN}
    assert rest == "小学报名是几号"
    where, rest = gazetteer.named_in("桥头小学收哪里的")
    assert where is not None
    assert where.named == {"桥头小学"}
    assert rest == "桥头小学收哪里的"


def test_no_place_in_the_question(gazetteer: Gazetteer) -> None:
    assert gazetteer.named_in("晚托多少钱") == (None, "晚托多少钱")
