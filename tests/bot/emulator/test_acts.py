"""What followers do: events and messages on the wire (wechat-contract.md §2.1, §2.2, §6.1, §6.4, §10 point 3)."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from bot.emulator.follower import Follower, NotOnTheScreen
from bot.wechat.messages import (
    Event,
    ImageMessage,
    Inbound,
    LinkMessage,
    LocationMessage,
    TextMessage,
    UnknownMessage,
    VideoMessage,
    VoiceMessage,
    parse,
)
from tests.bot.emulator.scenes import OPENID, Scene

MENU = {
    "button": [
        {"type": "click", "name": "帮助", "key": "menu.help"},
        {
            "name": "更多",
            "sub_button": [
                {"type": "view", "name": "网站", "url": "https://school.example/"},
                {"type": "scancode_waitmsg", "name": "扫一扫", "key": "menu.scan"},
            ],
        },
    ]
}


def last_push(follower: Follower) -> Inbound:
    return parse(follower.exchanges[-1].clear_xml.encode())


@pytest.mark.parametrize(
    ("act", "kind"),
    [
        (lambda f: f.sends_image(), ImageMessage),
        (lambda f: f.sends_voice(), VoiceMessage),
        (lambda f: f.sends_voice("课后服务"), VoiceMessage),
        (lambda f: f.sends_video(), VideoMessage),
        (lambda f: f.sends_video(short=True), VideoMessage),
        (lambda f: f.sends_location(33.9, 118.2, "宿城区"), LocationMessage),
        (lambda f: f.sends_link("通知", "https://school.example/1"), LinkMessage),
        (lambda f: f.sends_file("表.docx"), UnknownMessage),
    ],
)
async def test_every_kind_of_message_is_real(
    scene: Scene, act: Callable[[Follower], Awaitable[str | None]], kind: type[Inbound]
) -> None:
    """§2.1"""
    await act(scene.follower)
    assert isinstance(last_push(scene.follower), kind)


async def test_follow_by_search_has_no_scene(scene: Scene) -> None:
    """§2.2, §6.1"""
    await scene.follower.follows()
    event = last_push(scene.follower)
    assert isinstance(event, Event)
    assert (event.name, event.key, event.ticket) == ("subscribe", "", None)


async def test_stranger_who_scans_follows_with_the_prefix(scene: Scene) -> None:
    """§6.1, §10 point 3"""
    stranger = scene.emulator.follower(scene.account, "oStranger", is_following=False)
    await stranger.scans("bind-7")
    event = last_push(stranger)
    assert isinstance(event, Event)
    assert (event.name, event.key, event.scene) == ("subscribe", "qrscene_bind-7", "bind-7")
    assert stranger.is_following


async def test_follower_who_scans_sends_scan_without_the_prefix(scene: Scene) -> None:
    """§6.1, §10 point 3"""
    await scene.follower.scans("bind-7")
    event = last_push(scene.follower)
    assert isinstance(event, Event)
    assert (event.name, event.key, event.ticket is not None) == ("scan", "bind-7", True)


async def test_unfollow_and_follow_again(scene: Scene) -> None:
    """§2.2"""
    await scene.follower.unfollows()
    assert not scene.follower.is_following
    assert last_push(scene.follower).openid == OPENID
    await scene.follower.follows()
    assert scene.follower.is_following


@pytest.mark.parametrize(
    ("closes", "name"), [(False, "user_authorization_revoke"), (True, "user_authorization_cancellation")]
)
async def test_revoked_authorisation(scene: Scene, closes: bool, name: str) -> None:
    """§2.2"""
    await scene.follower.revokes_authorisation(closes_account=closes)
    event = last_push(scene.follower)
    assert isinstance(event, Event)
    assert (event.name, event.fields["OpenID"]) == (name, OPENID)


async def test_shared_position(scene: Scene) -> None:
    """§2.2"""
    await scene.follower.shares_position(33.9, 118.2)
    event = last_push(scene.follower)
    assert isinstance(event, Event)
    assert (event.name, event.fields["Latitude"]) == ("location", "33.9")


class TestMenuOnThePhone:
    """§6.4"""

    @pytest.mark.parametrize(
        ("key", "name"),
        [("menu.help", "click"), ("https://school.example/", "view"), ("menu.scan", "scancode_waitmsg")],
    )
    async def test_button_causes_its_event(self, scene: Scene, key: str, name: str) -> None:
        await scene.call("/cgi-bin/menu/create", MENU)
        await scene.follower.taps(key)
        event = last_push(scene.follower)
        assert isinstance(event, Event)
        assert (event.name, event.key) == (name, key)

    async def test_button_that_is_not_there_cannot_be_tapped(self, scene: Scene) -> None:
        await scene.call("/cgi-bin/menu/create", MENU)
        with pytest.raises(NotOnTheScreen):
            await scene.follower.taps("menu.none")

    async def test_phone_pulls_a_new_menu_after_five_minutes(self, scene: Scene) -> None:
        await scene.call("/cgi-bin/menu/create", MENU)
        await scene.follower.taps("menu.help")
        await scene.call("/cgi-bin/menu/create", {"button": [{"type": "click", "name": "新", "key": "menu.new"}]})
        with pytest.raises(NotOnTheScreen):
            await scene.follower.taps("menu.new")
        scene.clock.advance(timedelta(minutes=5))
        await scene.follower.taps("menu.new")

    async def test_following_again_pulls_the_menu_at_once(self, scene: Scene) -> None:
        await scene.call("/cgi-bin/menu/create", MENU)
        await scene.follower.taps("menu.help")
        await scene.call("/cgi-bin/menu/create", {"button": [{"type": "click", "name": "新", "key": "menu.new"}]})
        await scene.follower.unfollows()
        await scene.follower.follows()
        await scene.follower.taps("menu.new")


async def test_menu_message_comes_back_as_text_with_its_id(scene: Scene) -> None:
    """§4.5, §10 point 5"""
    await scene.follower.says("你好")
    rows = [{"id": "1", "content": "有用"}, {"id": "0", "content": "没用"}]
    message = {"touser": OPENID, "msgtype": "msgmenu", "msgmenu": {"head_content": "有用吗？", "list": rows}}
    assert (await scene.call("/cgi-bin/message/custom/send", message))["errcode"] == 0
    await scene.follower.chooses("1")
    text = last_push(scene.follower)
    assert isinstance(text, TextMessage)
    assert (text.content, text.menu_item_id) == ("有用", "1")
    with pytest.raises(NotOnTheScreen):
        await scene.follower.chooses("7")
