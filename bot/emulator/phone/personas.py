"""Whose phones the demo holds. All of them are invented; the ids are those of the made-up township."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

DUTY: Final = "demo_a_0001"


@dataclass(frozen=True, slots=True, kw_only=True)
class Persona:
    """Somebody to be for a while.

    `openid` is the WeChat id; `sign` the one character of the portrait and `tint` its colour, from 1; `opening` what
    the person has already written when the visitor arrives; `questions` what a visitor could ask; `is_large` the large
    type of an older reader.
    """

    openid: str
    name: str
    part: str
    about: str
    sign: str
    tint: int
    opening: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    is_large: bool = False


PERSONAS: Final = (
    Persona(
        openid="demo_g_000001",
        name="王大姐",
        part="家长",
        sign="王",
        tint=1,
        about="孩子上小学，还没告诉乡校自己在哪个村。",
        questions=("课后服务几点结束", "课后服务要交多少钱", "小学几岁可以上", "孩子在学校被打了怎么办"),
    ),
    Persona(
        openid="demo_g_000002",
        name="李奶奶",
        part="奶奶（大字）",
        sign="李",
        tint=2,
        about="孙子的爸妈在外打工，平时由她接送。",
        questions=("娃放学晚，能托管到几点", "晚托要交钱不", "俺家困难，能免钱不", "人工"),
        is_large=True,
    ),
    Persona(
        openid="demo_g_000003",
        name="陈先生",
        part="宿城区家长",
        sign="陈",
        tint=3,
        about="已经告诉乡校自己在宿城区。",
        opening=("我在宿城区",),
        questions=("一年级什么时候报名", "那初中呢", "随迁子女报名要什么材料", "换地方"),
    ),
    Persona(
        openid="demo_t_0001",
        name="赵老师",
        part="教师",
        sign="赵",
        tint=4,
        about="村小的语文老师，想知道轮岗的规定。",
        questions=("去村小轮岗一轮几年", "怀孕了还用轮岗吗", "轮岗名单怎么定", "骨干教师轮岗比例是多少"),
    ),
    Persona(
        openid="demo_h_0001",
        name="周老师",
        part="班主任",
        sign="周",
        tint=5,
        about="带一个班，要答家长的问题。",
        questions=("课后服务怎么报名", "家庭困难学生怎么免费", "低年级课后服务到几点", "学生请假找谁"),
    ),
    Persona(
        openid=DUTY,
        name="孙老师",
        part="值班管理员",
        sign="孙",
        tint=6,
        about="家长回复“人工”以后，由他在自己的微信里答复。",
        opening=("待办",),
        questions=("待办", "查看 1", "帮助"),
    ),
)

BY_OPENID: Final[Mapping[str, Persona]] = MappingProxyType({persona.openid: persona for persona in PERSONAS})
