"""The menu of the 服务号: within WeChat's rules, and everything on it answers."""

from __future__ import annotations

import pytest

from bot.capability import Capability, EntryPoints, MenuItem
from handlers.catalogue import CAPABILITIES
from handlers.support.capability import MenuTooLarge, menu_of
from tests.town import Town


def with_menu(*items: MenuItem) -> Capability:
    return Capability(name="test", build=lambda machinery: EntryPoints(), menu=items)


def test_it_has_the_three_buttons() -> None:
    assert [top["name"] for top in menu_of(CAPABILITIES)["button"]] == ["问政策", "课后服务", "我的"]


def test_every_name_and_key_is_within_its_bytes() -> None:
    for top in menu_of(CAPABILITIES)["button"]:
        assert len(top["name"].encode()) <= 16
        assert 1 <= len(top["sub_button"]) <= 5
        for item in top["sub_button"]:
            assert len(item["name"].encode()) <= 60
            assert len(item["key"].encode()) <= 128


@pytest.mark.parametrize(
    "items",
    [
        [MenuItem(f"第{number}组", "名", f"k{number}") for number in range(4)],
        [MenuItem("六个字的按钮", "名", "k")],
        [MenuItem("我的", "名", f"k{number}") for number in range(6)],
        [MenuItem("我的", "名" * 21, "k")],
        [MenuItem("我的", "名", "k" * 129)],
    ],
)
def test_what_wechat_would_refuse_is_refused_before(items: list[MenuItem]) -> None:
    with pytest.raises(MenuTooLarge):
        menu_of([with_menu(*items)])


async def test_every_item_gets_an_answer(town: Town) -> None:
    menu = menu_of(CAPABILITIES)
    await town.app_wechat.create_menu(menu)
    person = town.person()
    for top in menu["button"]:
        for item in top["sub_button"]:
            assert await person.taps(item["key"]), item["name"]
            assert person.last_notice is None
