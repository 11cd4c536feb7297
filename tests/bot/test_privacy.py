"""Personal data leaves what is logged."""

from __future__ import annotations

import pytest

from bot.privacy import without_personal_data


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("电话13812345678找我", "13812345678"),
        ("打 138 1234 5678", "138 1234 5678"),
        ("座机0557-1234567", "1234567"),
        ("身份证34130219900101123X", "34130219900101123X"),
        ("卡号6222 0210 0112 3456 789", "6222"),
        ("微信号wang_xm88", "wang_xm88"),
        ("QQ：123456789", "123456789"),
        ("邮箱wang@example.com", "wang@example.com"),
        ("看 https://example.com/?id=1", "example.com"),
        ("oEMU0000000000000000000000A1 是我", "oEMU"),
        ("demo_g_000001 问", "demo_g_000001"),
        ("我叫王小明，想问转学", "王小明"),
        ("孩子叫李雷，上三年级", "李雷"),
        ("姓名：张三丰", "张三丰"),
        ("赵铁柱老师在不在", "赵铁柱"),
        ("王老师电话多少", "王老师"),
        ("陈静同学的家长", "陈静"),
    ],
)
def test_what_identifies_somebody_goes(text: str, gone: str) -> None:
    assert gone not in without_personal_data(text)


@pytest.mark.parametrize(
    "text",
    [
        "课后服务300元，17:30结束",
        "2021年7月24日至28日报名",
        "高中老师怎么轮岗",
        "班主任老师要交什么材料",
        "任课老师有补助吗",
        "一个班45人，学校1200人",
        "校长轮岗几年一次",
        "110和12345能打吗",
        "2026年9月1日8:30到校",
    ],
)
def test_what_identifies_nobody_stays(text: str) -> None:
    assert without_personal_data(text) == text
