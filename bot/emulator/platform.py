"""The state of the emulated platform: accounts, the people in touch with them, and every call that came in."""

import re
import secrets
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from bot.clock import Clock
from bot.emulator.allowances import Act, Allowance
from bot.emulator.consents import Consents
from bot.emulator.events import Announcer
from bot.emulator.faults import ApiRefusal, Troubles
from bot.emulator.keys import AccountKeys
from bot.emulator.mass import MassJobs
from bot.emulator.media import Media
from bot.emulator.qr_codes import QrCodes
from bot.emulator.quotas import Quotas
from bot.emulator.rules import Rules
from bot.emulator.screen import Card, Means, Option, Screen, Shown, Side
from bot.emulator.sent import SentLog, SentMessage
from bot.emulator.templates import OF_MINI_PROGRAM, OF_SERVICE_ACCOUNT, Template
from bot.emulator.tokens import TokenOffice

__all__ = [
    "MINI_PROGRAM_PREFIX",
    "REUSABLE_CODE_PREFIX",
    "Account",
    "AccountKeys",
    "CallRecord",
    "LoginCode",
    "Person",
    "PhoneCode",
    "Platform",
]

MINI_PROGRAM_PREFIX: Final = "mp_"
REUSABLE_CODE_PREFIX: Final = "code-"


@dataclass(slots=True)
class Person:
    """One openid and its phone. `is_blacklisted` by the account; `blocks_account`: what it sends is taken and never
    arrives; `refuses_templates`: template messages are switched off."""

    openid: str
    unionid: str
    screen: Screen = field(default_factory=Screen)
    allowance: Allowance = field(default_factory=Allowance)
    is_following: bool = False
    followed_at: datetime | None = None
    follow_scene: str = "ADD_SCENE_SEARCH"
    code_scene: str = ""
    last_act_at: datetime | None = None
    typing_until: datetime | None = None
    menu: dict[str, Any] | None = None
    menu_pulled_at: datetime | None = None
    consents: Consents = field(default_factory=Consents)
    is_blacklisted: bool = False
    blocks_account: bool = False
    refuses_templates: bool = False


@dataclass(slots=True)
class LoginCode:
    """What wx.login gave a client."""

    openid: str
    issued_at: datetime
    is_used: bool = False


@dataclass(slots=True)
class PhoneCode:
    """What the client was given when its user chose to tell a phone number."""

    number: str
    issued_at: datetime
    is_used: bool = False


@dataclass(frozen=True, slots=True)
class CallRecord:
    """A call of the API as it came in; `errcode` None when it was broken off or answered with HTTP 500."""

    at: datetime
    path: str
    app_id: str | None
    body: bytes
    errcode: int | None


class Account:
    """One 服务号 or mini-program."""

    def __init__(self, keys: AccountKeys, clock: Clock, rules: Rules) -> None:
        self.keys = keys
        self.tokens = TokenOffice(clock, rules)
        self.quotas = Quotas(clock, rules.clears_a_month)
        self.people: dict[str, Person] = {}
        self.menu: dict[str, Any] | None = None
        self.linked_mini_programs: set[str] = set()
        self.is_secret_frozen = False
        self.codes: dict[str, LoginCode] = {}
        self.qr_codes = QrCodes(clock)
        self.phone_codes: dict[str, PhoneCode] = {}
        self.logins_by_minute: Counter[tuple[str, int]] = Counter()
        self.templates = {each.id: each for each in (OF_SERVICE_ACCOUNT if keys.original_id else OF_MINI_PROGRAM)}
        self.tags: dict[int, set[str]] = {}
        self.mass_jobs = MassJobs(clock, rules)
        self.media = Media(clock)
        self._client_ids: dict[tuple[str, str], datetime] = {}
        self._clock = clock
        self._rules = rules
        self._members = re.compile(rules.members) if rules.members else None

    def person(self, openid: str) -> Person:
        """Somebody of this account. Raises ApiRefusal 40003 for an id it never saw."""
        known = self.find(openid)
        if known is None:
            raise ApiRefusal(40003)
        return known

    def find(self, openid: str) -> Person | None:
        """Somebody of this account; None for an id it never saw."""
        known = self.people.get(openid)
        if known is None and self._members is not None and self._members.fullmatch(openid):
            known = self.introduce(openid)
        return known

    def introduce(self, openid: str, *, is_following: bool = True) -> Person:
        """The person with this id; one not seen before has followed the account all along, unless said otherwise."""
        person = self.people.get(openid)
        if person is None:
            unionid = "u" + openid.removeprefix(MINI_PROGRAM_PREFIX)
            person = self.people[openid] = Person(openid, unionid, is_following=is_following)
            person.followed_at = self._clock.now() if is_following else None
        return person

    def template(self, template_id: object) -> Template:
        """One of the account's templates. Raises ApiRefusal 40037."""
        if not isinstance(template_id, str) or template_id not in self.templates:
            raise ApiRefusal(40037)
        return self.templates[template_id]

    def knows_client_id(self, openid: str, client_id: str) -> bool:
        """Whether the person was sent a template message under this client_msg_id a moment ago."""
        at = self._client_ids.get((openid, client_id))
        return at is not None and self._clock.now() - at < self._rules.duplicate_window

    def remember_client_id(self, openid: str, client_id: str) -> None:
        """A template message under this client_msg_id was taken."""
        self._client_ids[openid, client_id] = self._clock.now()

    def follow(self, person: Person, code_scene: str = "") -> None:
        """The person follows; the phone pulls the menu anew."""
        person.is_following = True
        person.followed_at = self._clock.now()
        person.follow_scene = "ADD_SCENE_QR_CODE" if code_scene else "ADD_SCENE_SEARCH"
        person.code_scene = code_scene
        person.menu_pulled_at = None
        self.allow(person, Act.FOLLOW)

    def unfollow(self, person: Person) -> None:
        """The person leaves; nothing can be sent any more."""
        person.is_following = False
        person.followed_at = None
        person.allowance.close()

    def allow(self, person: Person, act: Act) -> None:
        """The person did something that opens a window for customer-service messages."""
        now = self._clock.now()
        person.allowance.grant(act, now, self._rules.allowance_refill)
        person.last_act_at = now

    def menu_on_phone(self, person: Person) -> dict[str, Any] | None:
        """The menu this phone has; it looks for a newer one on entering the chat, but not every time."""
        now = self._clock.now()
        if person.menu_pulled_at is None or now - person.menu_pulled_at >= self._rules.menu_pull_after:
            person.menu, person.menu_pulled_at = self.menu, now
        return person.menu

    def login_code(self, openid: str) -> str:
        """A one-time code as wx.login would give the client of `openid`."""
        code = "0" + secrets.token_urlsafe(23)
        self.codes[code] = LoginCode(openid, self._clock.now())
        return code

    def phone_code(self, number: str) -> str:
        """A one-time code as the client gets whose user chose to tell this number."""
        code = "p" + secrets.token_urlsafe(23)
        self.phone_codes[code] = PhoneCode(number, self._clock.now())
        return code


class Platform:
    """All accounts under one clock."""

    def __init__(self, clock: Clock, rules: Rules | None = None) -> None:
        self.clock = clock
        self.rules = rules or Rules()
        self.troubles = Troubles()
        self.accounts: dict[str, Account] = {}
        self.calls: list[CallRecord] = []
        self.sent = SentLog()
        self.events = Announcer(clock, self.rules)
        # Counted on from the time: a platform started again must not repeat the ids of the one before.
        self._message_ids = int(clock.now().timestamp() * 10_000_000)

    def add_account(self, keys: AccountKeys) -> Account:
        """Registers an account."""
        account = self.accounts[keys.app_id] = Account(keys, self.clock, self.rules)
        return account

    def account(self, app_id: object) -> Account:
        """Raises ApiRefusal 40013 for an AppID that does not exist."""
        if not isinstance(app_id, str) or app_id not in self.accounts:
            raise ApiRefusal(40013)
        return self.accounts[app_id]

    def account_of_token(self, token: str) -> Account:
        """The account a call is made for. Raises ApiRefusal 41001, 40001, 40014 or 42001."""
        if not token:
            raise ApiRefusal(41001)
        owner = next((each for each in self.accounts.values() if each.tokens.knows(token)), None)
        judges = owner or next(iter(self.accounts.values()), None)
        errcode = judges.tokens.judge(token) if judges else 40014
        if errcode or owner is None:
            raise ApiRefusal(errcode or 40014)
        return owner

    def next_message_id(self) -> str:
        """A MsgId, greater than all before."""
        self._message_ids += 1
        return str(self._message_ids)

    def new_rid(self) -> str:
        """The id of a call: three groups of eight hex digits, the first of them the time."""
        return f"{int(self.clock.now().timestamp()):08x}-{secrets.token_hex(4)}-{secrets.token_hex(4)}"

    def push(self, person: Person, shown: Shown, sent: SentMessage) -> None:
        """What the account sent on its own initiative arrives."""
        person.typing_until = None
        person.screen.show(shown)
        self.sent.add(sent)

    def shown(self, text: str, means: Means, *, options: tuple[Option, ...] = (), card: Card | None = None) -> Shown:
        """What the call that is being answered brings to a phone."""
        return Shown(self.clock.now(), Side.ACCOUNT, text, options, means, card, call=len(self.calls))

    def calls_of(self, path: str) -> list[CallRecord]:
        """The calls of one API, oldest first."""
        return [call for call in self.calls if call.path == path]
