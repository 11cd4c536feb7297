"""Messages and events against wechat-contract.md §1.7, §2.1 and §2.2."""

import re

import pytest
import xmltodict
from hypothesis import given
from hypothesis import strategies as st
from wechatpy import parse_message

from bot.emulator.wire import XmlValue, to_xml
from bot.wechat.errors import MalformedMessage
from bot.wechat.messages import (
    NO_REPLY,
    Event,
    ImageMessage,
    Inbound,
    LinkMessage,
    LocationMessage,
    Reply,
    SubscriptionResult,
    TextMessage,
    TextReply,
    UnknownMessage,
    VideoMessage,
    VoiceMessage,
    accepts_reply,
    parse,
    render,
    subscription_results,
)
from tests.bot.wechat.samples import ACCOUNT, AT, OPENID, XML, event, message

ID = 24000000000000001


def parsed_event(name: str, **fields: XmlValue) -> Event:
    inbound = parse(event(name, **fields))
    assert isinstance(inbound, Event)
    return inbound


class TestMessages:
    """§2.1"""

    def test_text(self) -> None:
        text = parse(XML.encode())
        assert isinstance(text, TextMessage)
        assert (text.content, text.menu_item_id, text.message_id) == ("你好", None, str(ID))
        assert (text.openid, text.account, text.created_at) == (OPENID, ACCOUNT, AT)

    def test_tap_on_a_menu_message(self) -> None:
        tap = parse(message("text", Content="满意", bizmsgmenuid="101", MsgId=ID))
        assert isinstance(tap, TextMessage)
        assert (tap.content, tap.menu_item_id) == ("满意", "101")

    def test_text_sent_from_an_article(self) -> None:
        text = parse(message("text", Content="你好", MsgId=ID, MsgDataId="d", Idx=1))
        assert isinstance(text, TextMessage)

    def test_image(self) -> None:
        image = parse(message("image", PicUrl="http://p/1", MediaId="m", MsgId=ID))
        assert isinstance(image, ImageMessage)
        assert (image.picture_url, image.media_id) == ("http://p/1", "m")

    @pytest.mark.parametrize(
        ("recognition", "read"), [({}, None), ({"Recognition": ""}, None), ({"Recognition": "喂"}, "喂")]
    )
    def test_voice_with_and_without_transcript(self, recognition: dict[str, str], read: str | None) -> None:
        voice = parse(message("voice", MediaId="m", Format="amr", MediaId16K="n", MsgId=ID, **recognition))
        assert isinstance(voice, VoiceMessage)
        assert (voice.media_id, voice.format, voice.recognition) == ("m", "amr", read)

    @pytest.mark.parametrize("kind", ["video", "shortvideo"])
    def test_video_long_and_short(self, kind: str) -> None:
        video = parse(message(kind, MediaId="m", ThumbMediaId="t", MsgId=ID))
        assert isinstance(video, VideoMessage)
        assert (video.media_id, video.thumb_media_id) == ("m", "t")

    def test_location(self) -> None:
        place = parse(message("location", Location_X="33.9", Location_Y="118.2", Scale=15, Label="宿城区", MsgId=ID))
        assert isinstance(place, LocationMessage)
        assert (place.latitude, place.longitude, place.scale, place.label) == (33.9, 118.2, 15, "宿城区")

    def test_link(self) -> None:
        link = parse(message("link", Title="t", Description="d", Url="http://u", MsgId=ID))
        assert isinstance(link, LinkMessage)
        assert (link.title, link.description, link.url) == ("t", "d", "http://u")

    @pytest.mark.parametrize("kind", ["file", "miniprogrampage", "hologram"])
    def test_types_nobody_handles_are_kept_as_unknown(self, kind: str) -> None:
        unknown = parse(message(kind, Title="t", MsgId=ID))
        assert isinstance(unknown, UnknownMessage)
        assert (unknown.kind, unknown.fields["Title"]) == (kind, "t")

    @pytest.mark.parametrize("kind", ["image", "voice", "video", "link"])
    def test_missing_optional_elements_are_empty(self, kind: str) -> None:
        assert parse(message(kind, MsgId=ID)).message_id == str(ID)

    def test_what_wechatpy_reads_we_read_alike(self) -> None:
        theirs, ours = parse_message(XML), parse(XML.encode())
        assert isinstance(ours, TextMessage)
        assert (theirs.source, theirs.target, theirs.id, theirs.content) == (
            ours.openid,
            ours.account,
            int(ours.message_id or ""),
            ours.content,
        )

    def test_authentication_is_told_and_not_assumed(self) -> None:
        assert not parse(XML.encode()).authenticated
        assert parse(XML.encode(), authenticated=True).authenticated


class TestEvents:
    """§2.2"""

    def test_plain_follow_with_and_without_key(self) -> None:
        assert parsed_event("subscribe").scene is None
        assert parsed_event("subscribe", EventKey="").scene is None

    def test_follow_by_a_code_has_the_scene_without_its_prefix(self) -> None:
        follow = parsed_event("subscribe", EventKey="qrscene_bind-7", Ticket="gQ")
        assert (follow.scene, follow.key, follow.ticket) == ("bind-7", "qrscene_bind-7", "gQ")

    def test_scan_by_a_follower_has_the_scene_as_it_is(self) -> None:
        scan = parsed_event("SCAN", EventKey="qrscene_odd", Ticket="gQ")
        assert (scan.name, scan.scene) == ("scan", "qrscene_odd")

    @pytest.mark.parametrize("name", ["CLICK", "click", "Click"])
    def test_names_are_compared_in_lower_case(self, name: str) -> None:
        assert parsed_event(name, EventKey="menu.help").name == "click"

    @pytest.mark.parametrize(
        ("name", "fields"),
        [
            ("unsubscribe", {"EventKey": ""}),
            ("LOCATION", {"Latitude": "33.9", "Longitude": "118.2", "Precision": "119"}),
            ("VIEW", {"EventKey": "http://x", "MenuId": 1}),
            ("view_miniprogram", {"EventKey": "pages/index", "MenuId": 1}),
            ("scancode_waitmsg", {"EventKey": "k", "ScanCodeInfo": {"ScanType": "qrcode", "ScanResult": "1"}}),
            ("pic_sysphoto", {"EventKey": "k", "SendPicsInfo": {"Count": 1, "PicList": {"item": {"PicMd5Sum": "5"}}}}),
            ("location_select", {"EventKey": "k", "SendLocationInfo": {"Location_X": "3", "Label": "l"}}),
            ("TEMPLATESENDJOBFINISH", {"MsgID": 200163836, "Status": "success"}),
            (
                "MASSSENDJOBFINISH",
                {"MsgID": 1, "ArticleUrlResult": {"Count": 1, "ResultList": {"item": {"ArticleIdx": 1}}}},
            ),
            ("PUBLISHJOBFINISH", {"PublishEventInfo": {"publish_id": "1", "publish_status": 0}}),
            ("user_info_modified", {"OpenID": OPENID, "AppID": "wx"}),
            ("user_authorization_revoke", {"OpenID": OPENID, "AppID": "wx", "RevokeInfo": "1"}),
            ("user_authorization_cancellation", {"OpenID": OPENID, "AppID": "wx", "RevokeInfo": "1"}),
            ("kf_switch_session", {"FromKfAccount": "a@b", "ToKfAccount": "c@b"}),
            ("wxa_media_check", {"trace_id": "t", "result": {"suggest": "pass", "label": 100}}),
            ("qualification_verify_success", {"ExpiredTime": 1442401156}),
            ("weapp_audit_fail", {"FailTime": 1, "Reason": "r", "ScreenShot": "s"}),
            ("never_seen_before", {"Whatever": "x"}),
        ],
    )
    def test_every_documented_event_is_read_with_its_elements(self, name: str, fields: dict[str, XmlValue]) -> None:
        read = parsed_event(name, **fields)
        assert read.name == name.lower()
        assert {key: read.fields[key] for key in fields} == xmltodict.parse(f"{to_xml(fields)}")["xml"] | {
            key: "" for key, value in fields.items() if value == ""
        }

    @pytest.mark.parametrize(
        ("name", "wrapper"),
        [
            ("subscribe_msg_popup_event", "SubscribeMsgPopupEvent"),
            ("subscribe_msg_change_event", "SubscribeMsgChangeEvent"),
            ("subscribe_msg_change_event", "SubscribeMsgPopupEvent"),
        ],
    )
    def test_subscription_answers_one_or_many_under_either_wrapper(self, name: str, wrapper: str) -> None:
        one: dict[str, XmlValue] = {"TemplateId": "T1", "SubscribeStatusString": "accept", "PopupScene": 2}
        two: dict[str, XmlValue] = {"TemplateId": "T2", "SubscribeStatusString": "reject"}
        first = SubscriptionResult("T1", "accept", "2", None, None)
        second = SubscriptionResult("T2", "reject", None, None, None)
        single: XmlValue = {"List": one}
        several: XmlValue = {"List": [one, two]}
        assert subscription_results(parsed_event(name, **{wrapper: single})) == (first,)
        assert subscription_results(parsed_event(name, **{wrapper: several})) == (first, second)

    def test_subscription_result_of_a_send(self) -> None:
        row: XmlValue = {"TemplateId": "T", "MsgID": "17", "ErrorCode": 0, "ErrorStatus": "success"}
        sent = parsed_event("subscribe_msg_sent_event", SubscribeMsgSentEvent={"List": row})
        assert subscription_results(sent) == (SubscriptionResult("T", "success", None, "17", 0),)

    @pytest.mark.parametrize("inside", ["", "x", {"List": "x"}, {"Other": "x"}])
    def test_subscription_event_without_results_has_none(self, inside: XmlValue) -> None:
        assert subscription_results(parsed_event("subscribe_msg_popup_event", SubscribeMsgPopupEvent=inside)) == ()

    def test_other_events_have_no_results(self) -> None:
        assert subscription_results(parsed_event("CLICK", EventKey="k")) == ()


class TestDeduplication:
    """§1.7"""

    def test_redelivery_has_the_same_key(self) -> None:
        assert parse(XML.encode()).dedupe_key == parse(re.sub(r"(</\w+>|<xml>)<", r"\1\n<", XML).encode()).dedupe_key

    def test_messages_differ_by_their_id(self) -> None:
        keys = {parse(message("text", Content="好", MsgId=ID + n)).dedupe_key for n in range(3)}
        assert len(keys) == 3

    def test_events_of_one_second_differ_by_name_key_and_job(self) -> None:
        happenings = [
            event("CLICK", EventKey="a"),
            event("CLICK", EventKey="b"),
            event("subscribe", EventKey="a"),
            event("TEMPLATESENDJOBFINISH", MsgID=1, Status="success"),
            event("TEMPLATESENDJOBFINISH", MsgID=2, Status="success"),
        ]
        assert len({parse(each).dedupe_key for each in happenings}) == len(happenings)

    def test_event_is_the_same_in_whatever_case_it_is_named(self) -> None:
        assert parse(event("scan", EventKey="a")).dedupe_key == parse(event("SCAN", EventKey="a")).dedupe_key

    def test_message_without_an_id_is_told_apart_by_its_second(self) -> None:
        assert parse(message("text", Content="好")).message_id is None
        assert parse(message("text", Content="好")).dedupe_key == parse(message("text", Content="好")).dedupe_key

    def test_key_holds_no_readable_id(self) -> None:
        assert OPENID not in parse(XML.encode()).dedupe_key


class TestRefusals:
    @pytest.mark.parametrize(
        "xml",
        [
            message("", MsgId=ID),
            XML.replace(OPENID, "").encode(),
            XML.replace(OPENID, "o' OR 1=1").encode(),
            XML.replace(OPENID, "o" * 65).encode(),
            XML.replace(ACCOUNT, "").encode(),
            XML.replace("<CreateTime>1763683200</CreateTime>", "").encode(),
            XML.replace("1763683200", "1763683200000").encode(),
            XML.replace("1763683200", "-1").encode(),
            XML.replace("1763683200", "999999999999").encode(),
            XML.replace("1763683200", "١٢٣").encode(),
            XML.replace(str(ID), "abc").encode(),
            XML.replace(str(ID), "9" * 21).encode(),
            XML.replace("<MsgType>", "<MsgType><![CDATA[text]]></MsgType><MsgType>").encode(),
            XML.replace("<![CDATA[text]]>", "<a>text</a>").encode(),
            XML.replace("<![CDATA[你好]]>", "<b/>").encode(),
            event(""),
            event("CLICK", EventKey={"a": "b"}),
            message("image", MediaId={"a": "b"}, MsgId=ID),
            message("location", MsgId=ID),
            message("location", Location_X="north", Location_Y="1", MsgId=ID),
            message("location", Location_X="91", Location_Y="1", MsgId=ID),
            message("location", Location_X="nan", Location_Y="1", MsgId=ID),
            message("location", Location_X="1", Location_Y="1", Scale="big", MsgId=ID),
        ],
    )
    def test_message_with_a_fault_is_refused_by_name(self, xml: bytes) -> None:
        with pytest.raises(MalformedMessage):
            parse(xml)

    @given(
        st.dictionaries(st.sampled_from(["Event", "EventKey", "MsgId", "Content", "Location_X", "Scale"]), st.text())
    )
    def test_no_value_raises_anything_else(self, fields: dict[str, str]) -> None:
        for kind in ("text", "event", "location", "image"):
            xml = message(kind, **{"Location_Y": "1", **fields})
            try:
                assert parse(xml).openid == OPENID
            except MalformedMessage:
                continue


class TestRendering:
    """§1.6, §2.3"""

    def rendered(self, reply: Reply, inbound: Inbound | None = None) -> dict[str, str]:
        body = render(reply, inbound or parse(XML.encode()), AT)
        return dict(xmltodict.parse(body.decode())["xml"])

    def test_parties_are_swapped_and_time_is_in_seconds(self) -> None:
        assert self.rendered(TextReply("您好")) == {
            "ToUserName": OPENID,
            "FromUserName": ACCOUNT,
            "CreateTime": "1763683200",
            "MsgType": "text",
            "Content": "您好",
        }

    @pytest.mark.parametrize(
        "text", ["a ]]> b", "]]></Content><MsgType>x</MsgType><Content><![CDATA[", "]]]]>>", "<a href='x'>&amp;"]
    )
    def test_no_text_breaks_out_of_its_element(self, text: str) -> None:
        assert self.rendered(TextReply(text))["Content"] == text

    def test_control_characters_are_left_out(self) -> None:
        assert self.rendered(TextReply("一\x00二\x0b三\ufffe\n四"))["Content"] == "一二三\n四"

    @pytest.mark.parametrize("reply", [NO_REPLY, TextReply(""), TextReply(" \n"), TextReply("\x00")])
    def test_nothing_to_say_is_success(self, reply: Reply) -> None:
        assert render(reply, parse(XML.encode()), AT) == b"success"

    @pytest.mark.parametrize("name", ["subscribe", "SCAN", "CLICK", "scancode_waitmsg", "LOCATION"])
    def test_events_that_take_a_reply(self, name: str) -> None:
        assert accepts_reply(parsed_event(name))
        assert b"<xml>" in render(TextReply("好"), parsed_event(name), AT)

    @pytest.mark.parametrize(
        "name", ["unsubscribe", "VIEW", "view_miniprogram", "TEMPLATESENDJOBFINISH", "MASSSENDJOBFINISH", "new_kind"]
    )
    def test_events_that_take_none_get_success_whatever_is_said(self, name: str) -> None:
        assert render(TextReply("好"), parsed_event(name), AT) == b"success"

    def test_unknown_message_gets_success(self) -> None:
        assert render(TextReply("好"), parse(message("file", MsgId=ID)), AT) == b"success"

    @given(st.text(max_size=3000))
    def test_any_text_stays_readable_and_within_the_limit(self, text: str) -> None:
        body = render(TextReply(text), parse(XML.encode()), AT)
        if body != b"success":
            assert len(xmltodict.parse(body.decode(), strip_whitespace=False)["xml"]["Content"].encode()) <= 2048
