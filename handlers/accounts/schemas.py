"""JSON in and out."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from bot.delivery.pushes import Purpose
from bot.identity import Hat, Role
from handlers.accounts.domain import Relation, SessionKind
from handlers.accounts.service.subscriptions import Choice


class In(BaseModel):
    """What a client sends: nothing beside the fields named, no spaces around values."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


# What WeChat makes is plain ASCII: anything else is refused here, without asking WeChat about it.
Code = Annotated[str, Field(min_length=1, max_length=256, pattern=r"^[ -~]+$")]
Name = Annotated[str, Field(min_length=1, max_length=64)]


# --------------------------------------------------------------------------------------------------------- sessions
class SessionIn(In):
    """What wx.login gave."""

    code: Code = Field(title="登录码", examples=["code-mp_demo_g_000001"])


class ActorOut(BaseModel):
    """Who is logged in. `name` is null for somebody not bound, or who has not agreed to the privacy notice yet. `as`
    is the identity worn by somebody who has both, else null."""

    roles: list[Role]
    name: str | None
    worn: Hat | None = Field(alias="as")
    may_be: list[Hat]
    is_bound: bool
    has_agreed: bool = Field(description="同意了现行的隐私保护说明")


class SessionOut(BaseModel):
    """A session. `token` goes into `Authorization: Bearer`; it renews itself while it is used."""

    token: str
    expires_at: datetime
    actor: ActorOut


class CurrentOut(BaseModel):
    """The session in use."""

    expires_at: datetime
    actor: ActorOut


class DeviceOut(BaseModel):
    """One of the caller's sessions."""

    id: str
    kind: SessionKind
    device: str
    opened_at: datetime
    seen_at: datetime
    expires_at: datetime
    is_current: bool


class DevicesOut(BaseModel):
    """The caller's open sessions."""

    items: list[DeviceOut]
    next_cursor: str | None = None


class EndedOut(BaseModel):
    """A session has ended."""

    status: Literal["ended"] = "ended"


# ---------------------------------------------------------------------------------------------------------- privacy
class PrivacyOut(BaseModel):
    """The privacy notice in force."""

    version: str
    text: str


class PrivacyIn(In):
    """Which version was read and agreed to."""

    version: str = Field(title="版本", min_length=1, max_length=16, examples=["1"])


class AgreedOut(BaseModel):
    """Agreed to the notice in force."""

    version: str
    has_agreed: Literal[True] = True


# ---------------------------------------------------------------------------------------------------------- profile
class HatIn(In):
    """As what to act from now on."""

    worn: Hat = Field(alias="as", title="身份", examples=["guardian"])


class ProfileOut(BaseModel):
    """What is known about the caller. The phone number is masked."""

    name: str | None
    phone: str
    actor: ActorOut


class ProfileIn(In):
    """A new phone number: the code that the phone-number button of WeChat gave."""

    phone_code: Code = Field(title="手机号授权码")


class ChildOut(BaseModel):
    """One of the caller's children. `class` is "" and `grade` null for a child that is in no class."""

    id: str
    name: str
    school: str
    school_class: str = Field(alias="class", examples=["三年级2班"])
    grade: int | None = Field(description="1–9；幼儿园小班 -2，中班 -1，大班 0", examples=[3])


class ChildrenOut(BaseModel):
    """The caller's children."""

    items: list[ChildOut]
    next_cursor: str | None = None


# ---------------------------------------------------------------------------------------------------------- binding
class BindingIn(In):
    """An invitation and the second proof: the child's name and date of birth, or its number on the roster; for
    somebody on the staff the phone number the school has (or its last four digits).

    `relation` and `name` where the invitation is for any guardian.
    """

    code: str = Field(title="邀请码", min_length=1, max_length=64, examples=["ACDE-3467"])
    child_name: Name | None = Field(default=None, title="孩子姓名")
    birth_date: date | None = Field(default=None, title="出生日期", examples=["2018-05-06"])
    roster_number: str | None = Field(default=None, title="学籍号", min_length=1, max_length=40)
    phone: str | None = Field(default=None, title="手机号", min_length=4, max_length=20)
    relation: Relation | None = Field(default=None, title="关系")
    name: Name | None = Field(default=None, title="您的姓名")


class PhoneBindingIn(In):
    """The code that the phone-number button of WeChat gave; `person_id` where several people share the number."""

    code: Code = Field(title="手机号授权码")
    person_id: str | None = Field(default=None, title="人员", max_length=64)


class BindingOut(BaseModel):
    """What came of it. `waiting`: the school decides. `children`: the names of those bound."""

    status: Literal["bound", "waiting"]
    children: list[str]
    actor: ActorOut


class BindingRequestIn(In):
    """What somebody says who has neither invitation nor a number on the roster."""

    child_name: Name = Field(title="孩子姓名")
    birth_date: date = Field(title="出生日期", examples=["2018-05-06"])
    school_id: UUID = Field(title="学校")
    relation: Relation = Field(title="关系")
    name: Name = Field(title="您的姓名")


class WaitingOut(BaseModel):
    """The school decides."""

    status: Literal["waiting"] = "waiting"


class UnboundOut(BaseModel):
    """The child is not seen any more."""

    id: str
    status: Literal["unbound"] = "unbound"


class SchoolOut(BaseModel):
    """A school one may ask to be bound at."""

    id: str
    name: str


class SchoolsOut(BaseModel):
    """All that are open."""

    items: list[SchoolOut]
    next_cursor: str | None = None


# ---------------------------------------------------------------------------------------------------- subscriptions
class SubscriptionsIn(In):
    """What the dialog of `wx.requestSubscribeMessage` gave, by template."""

    results: dict[Annotated[str, Field(min_length=1, max_length=64)], Choice] = Field(
        title="选择结果", min_length=1, max_length=20, examples=[{"TEMPLATE_ID": "accept"}]
    )


class SubscriptionOut(BaseModel):
    """One template. `left` is null where one accept holds for all messages to come."""

    template_id: str
    purposes: list[Purpose]
    left: int | None = Field(description="还能发几条；null 为长期有效")
    is_refused: bool


class SubscriptionsOut(BaseModel):
    """All templates for the caller."""

    ask: list[str] = Field(description="下次点按时要请求的模板，最多 3 个")
    items: list[SubscriptionOut]
    next_cursor: str | None = None
