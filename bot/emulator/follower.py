"""A person with a phone: says, taps, follows; and sees what WeChat would show.

Every action is built as real XML, signed, encrypted in the account's mode and posted to its callback, again where the
platform would post it again. An action returns the text of the answer on the screen, None when nothing or a fault
notice came; `exchanges` keeps both directions of the wire.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import aiohttp

from bot.emulator.allowances import Act
from bot.emulator.judging import EVENTS_WITH_ANSWER, Expectation, Outcome, Verdict, judge
from bot.emulator.media import A_PICTURE, A_VOICE, new_media_id
from bot.emulator.platform import Account, Person, Platform
from bot.emulator.screen import Screen, Shown, Side
from bot.emulator.subscribing import subscription, take_answer
from bot.emulator.wire import Wire, XmlValue, to_xml

Post = Callable[[list[tuple[str, str]], bytes, float], Awaitable[tuple[int, bytes]]]


UNANSWERED = Verdict(Outcome.UNANSWERED)


class NotOnTheScreen(LookupError):
    """There is no such button or option to tap."""


class NotFollowing(RuntimeError):
    """Only a follower has the chat with the account."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One posting of a push. `status` is None when no answer came in time."""

    query: list[tuple[str, str]]
    body: bytes
    status: int | None
    answer: bytes
    verdict: Verdict


@dataclass(slots=True)
class Exchange:
    """A push, its deliveries, and the verdict that counted. `clear_xml` is the push before encryption."""

    at: datetime
    clear_xml: str
    deliveries: list[Delivery] = field(default_factory=list)
    verdict: Verdict = UNANSWERED


class Follower:
    """One person and the chat with one account."""

    def __init__(self, platform: Platform, account: Account, person: Person, post: Post) -> None:
        self.exchanges: list[Exchange] = []
        self._platform = platform
        self._account = account
        self._person = person
        self._post = post
        self._wire = Wire(account.keys)

    @property
    def openid(self) -> str:
        """The person's id at this account."""
        return self._person.openid

    @property
    def is_following(self) -> bool:
        """Whether the person follows the account at present."""
        return self._person.is_following

    @property
    def screen(self) -> Screen:
        """All the phone shows: own messages, answers, customer-service messages, notices."""
        return self._person.screen

    @property
    def last_reply(self) -> str | None:
        """The account's last message on the screen, answer or push; None while there is none."""
        return next((item.text for item in reversed(self.screen) if item.side is Side.ACCOUNT), None)

    @property
    def last_notice(self) -> str | None:
        """The last fault notice on the screen; None while there is none."""
        return next((item.text for item in reversed(self.screen) if item.side is Side.NOTICE), None)

    async def says(self, text: str, *, copies: int = 1) -> str | None:
        """Types `text`. With several `copies` the platform delivers them at the same time, as retries can overlap."""
        return await self._sends("text", {"Content": text}, text, copies=copies)

    async def chooses(self, option_id: str) -> str | None:
        """Taps a line of a menu message, which comes as text and counts as a tap, not as a message."""
        options = {option.id: option.content for item in self.screen for option in item.options}
        if option_id not in options:
            raise NotOnTheScreen(option_id)
        content = options[option_id]
        return await self._sends("text", {"Content": content, "bizmsgmenuid": option_id}, content, act=Act.TAP)

    async def sends_image(self, content: bytes = A_PICTURE, *, copies: int = 1) -> str | None:
        """Sends a picture, which the API has for three days."""
        media_id = self._account.media.keep(content)
        picture = {"PicUrl": f"http://mmbiz.qpic.cn/mmbiz/{media_id[:16]}/0", "MediaId": media_id}
        return await self._sends("image", picture, "[图片]", copies=copies)

    async def sends_voice(self, recognition: str | None = None, content: bytes = A_VOICE) -> str | None:
        """Sends a voice note, which the API has for three days; `recognition` is the transcript of the platform's
        retired feature."""
        media_id = self._account.media.keep(content, "audio/amr")
        voice: dict[str, XmlValue] = {"MediaId": media_id, "Format": "amr", "MediaId16K": new_media_id()}
        if recognition is not None:
            voice["Recognition"] = recognition
        return await self._sends("voice", voice, "[语音]")

    async def sends_video(self, *, short: bool = False) -> str | None:
        """Sends a video."""
        video = {"MediaId": new_media_id(), "ThumbMediaId": new_media_id()}
        return await self._sends("shortvideo" if short else "video", video, "[视频]")

    async def sends_location(self, latitude: float, longitude: float, label: str = "") -> str | None:
        """Sends a place."""
        place = {"Location_X": str(latitude), "Location_Y": str(longitude), "Scale": "15", "Label": label}
        return await self._sends("location", place, f"[位置] {label}")

    async def sends_link(self, title: str, url: str, description: str = "") -> str | None:
        """Shares an article."""
        link = {"Title": title, "Description": description, "Url": url}
        return await self._sends("link", link, f"[链接] {title}")

    async def sends_file(self, title: str) -> str | None:
        """Sends a file, a type the documentation does not know."""
        return await self._sends(
            "file", {"Title": title, "Description": "", "FileKey": new_media_id()}, f"[文件] {title}"
        )

    async def follows(self, scene: str = "", *, ticket: str = "") -> str | None:
        """Follows, by search or through the code with `scene`."""
        self._account.follow(self._person, scene)
        fields: dict[str, XmlValue] = {"EventKey": f"qrscene_{scene}" if scene else ""}
        if scene:
            fields["Ticket"] = ticket or _ticket(scene)
        return await self.causes("subscribe", fields)

    async def unfollows(self) -> None:
        """Leaves; the platform tells the account, whose answer nobody sees."""
        self._account.unfollow(self._person)
        await self.causes("unsubscribe", {"EventKey": ""})

    async def scans(self, scene: str, *, ticket: str = "") -> str | None:
        """Scans a parametric code: a stranger follows by it, a follower just opens the chat."""
        if not self.is_following:
            return await self.follows(scene, ticket=ticket)
        self._account.allow(self._person, Act.SCAN)
        return await self.causes("SCAN", {"EventKey": scene, "Ticket": ticket or _ticket(scene)})

    async def scans_code(self, content: str) -> str | None:
        """Scans a code the API has made, by what its picture holds or by its ticket. Raises CodeOver for one whose
        time has passed: then the account learns of nothing."""
        code = self._account.qr_codes.scanned(content)
        return await self.scans(code.scene, ticket=code.ticket)

    async def taps(self, key: str) -> str | None:
        """Taps the menu button with this key, or the one that opens this address.

        Raises NotOnTheScreen when this phone's menu has none; without any menu the event is sent all the same.
        """
        self._must_follow()
        menu = self._account.menu_on_phone(self._person)
        kind = "click" if menu is None else _kind_of_button(menu, key)
        if kind in {"click", "scancode_push", "scancode_waitmsg"}:
            self._account.allow(self._person, Act.TAP)
        event = {"click": "CLICK", "view": "VIEW", "miniprogram": "view_miniprogram"}.get(kind, kind)
        fields: dict[str, XmlValue] = {"EventKey": key}
        if kind.startswith("scancode"):
            fields["ScanCodeInfo"] = {"ScanType": "qrcode", "ScanResult": "emulated"}
        return await self.causes(event, fields)

    async def shares_position(self, latitude: float, longitude: float) -> str | None:
        """Enters the chat with position sharing on."""
        position = {"Latitude": str(latitude), "Longitude": str(longitude), "Precision": "119.385040"}
        return await self.causes("LOCATION", position)

    async def revokes_authorisation(self, *, closes_account: bool = False) -> None:
        """Withdraws what was authorised; with `closes_account`, leaves WeChat altogether."""
        event = "user_authorization_cancellation" if closes_account else "user_authorization_revoke"
        keys, person = self._account.keys, self._person
        await self.causes(event, {"OpenID": person.openid, "AppID": keys.app_id, "RevokeInfo": "1"})

    async def accepts(self, *template_ids: str, scene: int = 1) -> None:
        """Taps "accept" in the dialog for these 订阅通知; `scene` 1: on a page, 2: in an article."""
        await self._answers_dialog(template_ids, "accept", scene)

    async def rejects(self, *template_ids: str, scene: int = 1) -> None:
        """Taps "reject" in that dialog."""
        await self._answers_dialog(template_ids, "reject", scene)

    async def switches_off(self, *template_ids: str) -> None:
        """Refuses these 订阅通知 in the settings; switching on again is told to nobody."""
        templates = [subscription(self._account, each) for each in template_ids]
        for template in templates:
            self._person.consents.withdraw(template)
        rows = [{"TemplateId": template.id, "SubscribeStatusString": "reject"} for template in templates]
        under_popup = self._platform.rules.change_under_popup
        wrapper = "SubscribeMsgPopupEvent" if under_popup else "SubscribeMsgChangeEvent"
        await self.causes("subscribe_msg_change_event", {wrapper: {"List": rows}})

    async def _answers_dialog(self, template_ids: Sequence[str], answer: str, scene: int) -> None:
        take_answer(self._platform, self._account, self._person, dict.fromkeys(template_ids, answer))
        rows = [
            {"TemplateId": each, "SubscribeStatusString": answer, "PopupScene": str(scene)} for each in template_ids
        ]
        await self.causes("subscribe_msg_popup_event", {"SubscribeMsgPopupEvent": {"List": rows}})

    async def causes(self, event: str, fields: Mapping[str, XmlValue], *, copies: int = 1) -> str | None:
        """Any event, by its name on the wire and its own elements."""
        push = {**self._head("event"), "Event": event, **fields}
        return await self._deliver(push, event in EVENTS_WITH_ANSWER, copies)

    async def _sends(
        self, kind: str, fields: Mapping[str, XmlValue], shown: str, *, act: Act = Act.MESSAGE, copies: int = 1
    ) -> str | None:
        self._must_follow()
        self._account.menu_on_phone(self._person)
        self._account.allow(self._person, act)
        self.screen.show(Shown(self._platform.clock.now(), Side.USER, shown))
        message_id = int(self._platform.next_message_id())
        return await self._deliver({**self._head(kind), **fields, "MsgId": message_id}, True, copies)

    def _must_follow(self) -> None:
        if not self.is_following:
            raise NotFollowing(self.openid)

    def _head(self, kind: str) -> dict[str, XmlValue]:
        return {
            "ToUserName": self._account.keys.original_id,
            "FromUserName": self.openid,
            "CreateTime": int(self._platform.clock.now().timestamp()),
            "MsgType": kind,
        }

    async def _deliver(self, push: Mapping[str, XmlValue], takes_answer: bool, copies: int) -> str | None:
        exchange = Exchange(self._platform.clock.now(), to_xml(push))
        self.exchanges.append(exchange)
        rules = self._platform.rules
        expected = Expectation(self._account.keys, self.openid, takes_answer, rules.max_text_bytes)
        query, body = self._signed(exchange.clear_xml)
        for attempt in range(rules.deliveries):
            if attempt and rules.renew_nonce:
                query, body = self._signed(exchange.clear_xml)
            begun = asyncio.get_running_loop().time()
            tries = await asyncio.gather(*(self._post_once(query, body, expected) for _ in range(copies)))
            exchange.deliveries += tries
            exchange.verdict = next(
                (t.verdict for t in tries if t.verdict.outcome is not Outcome.UNANSWERED), exchange.verdict
            )
            if exchange.verdict.outcome is not Outcome.UNANSWERED:
                break
            if attempt + 1 < rules.deliveries:
                taken = asyncio.get_running_loop().time() - begun
                await asyncio.sleep(max(rules.answer_within_s - taken, 0))
        return self._show(exchange.verdict)

    def _show(self, verdict: Verdict) -> str | None:
        now = self._platform.clock.now()
        if verdict.outcome is Outcome.SHOWN:
            self.screen.show(Shown(now, Side.ACCOUNT, verdict.text))
            return verdict.text
        if verdict.outcome is not Outcome.NOTHING:
            self.screen.show(Shown(now, Side.NOTICE, self._platform.rules.fault_wording))
        return None

    def _signed(self, xml: str) -> tuple[list[tuple[str, str]], bytes]:
        timestamp = str(int(self._platform.clock.now().timestamp()))
        return self._wire.push(xml, self.openid, timestamp, str(secrets.randbelow(10**9) + 10**9))

    async def _post_once(self, query: list[tuple[str, str]], body: bytes, expected: Expectation) -> Delivery:
        try:
            status, answer = await self._post(query, body, self._platform.rules.answer_within_s)
        except (aiohttp.ClientError, TimeoutError, ConnectionError) as fault:
            verdict = Verdict(Outcome.UNANSWERED, reason=type(fault).__name__)
            return Delivery(query, body, None, b"", verdict)
        return Delivery(query, body, status, answer, judge(status, answer, expected))


def _kind_of_button(menu: Mapping[str, object], key: str) -> str:
    buttons = menu.get("button")
    for button in buttons if isinstance(buttons, list) else ():
        if key in {button.get("key"), button.get("url"), button.get("pagepath")}:
            return str(button["type"])
        try:
            return _kind_of_button({"button": button.get("sub_button")}, key)
        except NotOnTheScreen:
            continue
    raise NotOnTheScreen(key)


def _ticket(scene: str) -> str:
    return "gQ" + scene.encode().hex().rjust(32, "0")
