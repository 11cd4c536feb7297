"""Whose phones the demo holds. All of them are invented; the ids are those of the made-up township."""

from dataclasses import dataclass
from typing import Final

PARENT: Final = "demo_g_000001"
HEAD_TEACHER: Final = "demo_h_0001"
DUTY: Final = "demo_a_0001"
TEACHER_AND_PARENT: Final = "demo_x_0008"
NEWCOMER: Final = "demo_n_0001"


@dataclass(frozen=True, slots=True, kw_only=True)
class Persona:
    """Somebody to be for a while.

    `openid` is the WeChat id; `sign` the one character of the portrait and `tint` its colour, from 1; `opening` what
    the person has already written when the visitor arrives; `questions` what a visitor could say; `tip` one line that
    says what to try, "" for none; `is_large` the large type of an older reader.
    """

    openid: str
    name: str
    part: str
    about: str
    sign: str
    tint: int
    opening: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    tip: str = ""
    is_large: bool = False


PERSONAS: Final = (
    Persona(
        openid=PARENT,
        name="王大姐",
        part="家长",
        sign="王",
        tint=1,
        about="有两个孩子在上小学，已经绑定。",
        tip="试试：回复“我的孩子”，或问“课后服务几点结束”。",
        questions=("我的孩子", "课后服务几点结束", "课后服务要交多少钱", "小学几岁可以上", "孩子在学校被打了怎么办"),
    ),
    Persona(
        openid="demo_g_000002",
        name="李奶奶",
        part="奶奶（大字）",
        sign="李",
        tint=2,
        about="孙辈的爸妈在外打工，平时由她接送，已经绑定。",
        tip="试试：“娃放学晚，能托管到几点”。",
        questions=("娃放学晚，能托管到几点", "晚托要交钱不", "俺家困难，能免钱不", "人工"),
        is_large=True,
    ),
    Persona(
        openid="demo_g_000003",
        name="陈先生",
        part="宿城区家长",
        sign="陈",
        tint=3,
        about="已经绑定，也告诉过乡校自己在宿城区。",
        tip="试试：先问“一年级什么时候报名”，再问“那初中呢”。",
        opening=("我在宿城区",),
        questions=("一年级什么时候报名", "那初中呢", "随迁子女报名要什么材料", "换地方"),
    ),
    Persona(
        openid=TEACHER_AND_PARENT,
        name="赵老师",
        part="教师，也是家长",
        sign="赵",
        tint=4,
        about="教语文，自己的孩子也在这所学校上学。",
        tip="试试：回复“切换身份”，再回复“我的孩子”。",
        questions=("切换身份", "我的孩子", "去村小轮岗一轮几年", "怀孕了还用轮岗吗"),
    ),
    Persona(
        openid=HEAD_TEACHER,
        name="周老师",
        part="班主任",
        sign="周",
        tint=5,
        about="带一个班，有一件绑定申请等着核对。",
        tip="试试：回复“绑定申请”，看清楚再同意或拒绝。",
        questions=("绑定申请", "课后服务怎么报名", "家庭困难学生怎么免费", "学生请假找谁"),
    ),
    Persona(
        openid=DUTY,
        name="孙老师",
        part="值班管理员",
        sign="孙",
        tint=6,
        about="乡镇管理员，也值班：家长回复“人工”以后，由他在自己的微信里答复。",
        tip="试试：先用一位家长的手机回复“人工”提问，再来这里回复“待办”。",
        opening=("待办",),
        questions=("待办", "查看 1", "帮助"),
    ),
    Persona(
        openid=NEWCOMER,
        name="何女士",
        part="还没绑定的家长",
        sign="何",
        tint=7,
        about="刚关注，手里有一张学校发的邀请纸条。",
        tip="试试：回复“绑定”，照着提示办。",
        questions=("绑定", "课后服务几点结束", "帮助"),
    ),
)
