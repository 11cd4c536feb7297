"""What people type and the form it is matched in."""

from __future__ import annotations

import pytest

from knowledge.normalise import MAX_QUESTION, han_number, normalise, segments

FORMS = """
五点半放学 => 5:30放学
下午五点半 => 17:30
下午5:30 => 17:30
五点一刻 => 5:15
五点三刻 => 5:45
五点零五 => 5:05
五点二十 => 5:20
晚上八点 => 20:00
中午十二点 => 中午12:00
上午八点半 => 上午8:30
17点20分 => 17:20
17：20 => 17:20
十五个人 => 15个人
三个阶段 => 3个阶段
一个班多少人 => 一个班多少人
一年级 => 一年级
初三 => 初三
初三年级 => 初三年级
高三人数 => 高三人数
周三周五 => 周三周五
星期五点名 => 星期五点名
二十几 => 20几
二十几个人 => 20几个人
三千多 => 3000多
三千多人 => 3000多人
一万五 => 15000
1.5万 => 15000
1.5万元 => 15000元
百分之零点五 => 0.5%
百分之三十 => 30%
百分之百 => 100%
百分之九十五点六 => 95.6%
百分之0.75 => 0.75%
三百二十块 => 320元
三百块钱 => 300元
三百块 => 300元
300块退不退 => 300元退不退
六块展板 => 6块展板
两三年 => 两三年
七八个人 => 七八个人
三四十人 => 三四十人
二〇二一年 => 2021年
二零二零年 => 2020年
三十号 => 30号
八月十五号 => 8月15日
8月31号 => 8月31日
十分担心 => 十分担心
五点十分 => 5:10
一点也不 => 一点也不
有一点远 => 有一点远
下午一点半 => 13:30
万一摇不上 => 万一摇不上
千万别 => 千万别
五六个 => 五六个
三点要求 => 三点要求
三成 => 30%
六十个人 => 60个人
第三条 => 第三条
第二周 => 第二周
七年级 => 七年级
五年制 => 5年制
九年一贯制 => 9年一贯制
应急 => 应急
额外收费 => 额外收费
喂奶期 => 喂奶期
老师，报名是几号呢 => 报名是几号
請問課後服務收費多少錢？😭 => 课后服务收费多少钱
着急 => 着急
一中 => 一中
六一儿童节 => 六一儿童节
两免一补 => 两免一补
一对一 => 一对一
三个代表 => 3个代表
十八大 => 十八大
十一放假 => 十一放假
1+1 => 1+1
5+2 => 5+2
五加二 => 五加二
二十一点 => 21:00
每天一小时 => 每天1小时
1：16.6 => 1:16.6
5️⃣号 => 5号
６周岁 => 6周岁
年满六周岁 => 年满6周岁
两千够吗 => 2000够吗
班班通 => 班班通
10,688平米 => 10688平方米
星期二点名 => 星期二点名
礼拜五下午 => 星期五下午
三块五 => 3元五
初 三 => 初三
三班 => 3班
百年 => 百年
四点半 => 4:30
三点半 => 3:30
二胎 => 二胎
一万零五百 => 10500
三个一 => 3个一
一费制 => 一费制
四分五裂 => 四分五裂
七八九社 => 七八九社
3至5年 => 3至5年
三至五年 => 三至5年
一家人 => 一家人
三八妇女节 => 三八妇女节
下午3点到5点 => 15:00到5:00
十点 => 10:00
五中六中 => 五中六中
十个 => 10个
一百五 => 150
晚点 => 晚点
早点送 => 早点送
晚五点 => 17:00
几点 => 几点
六千多万 => 6000多万
九点九元 => 9.9元
一点五万 => 15000
五点五平米 => 5.5平方米
十几岁 => 10几岁
十五分钟 => 15分钟
十分钟 => 10分钟
六十分及格 => 60分及格
十一人 => 11人
二十大 => 二十大
二十多个 => 20多个
十来个 => 10来个
三十而立 => 30而立
五个一 三个提升 => 5个一三个提升
几十万 => 几十万
二零年 => 20年
33万元 => 330000元
百分之几 => 百分之几
三类镇 => 三类镇
一块报名 => 一块报名
十七大精神 => 十七大精神
十二月 => 12月
二月二十八 => 2月28
十几个 => 10几个
嗯嗯请问一下几号报名 => 几号报名
报名几号呀谢谢 => 报名几号
ｐｄｆ文件 => pdf文件
收 费 => 收费
收费！！！😭😭 => 收费
課後服務 => 课后服务
5:30 => 5:30
二百零五 => 205
零点五和零点四五 => 0.5和0.45
一千零五 => 1005
十二个班 => 12个班
应急预案急 => 应急预案
"""


def _forms() -> list[tuple[str, str]]:
    pairs = [line.split(" => ") for line in FORMS.strip().splitlines()]
    return [(typed, form) for typed, form in pairs]


@pytest.mark.parametrize(("typed", "form"), _forms())
def test_a_question_is_brought_to_one_form(typed: str, form: str) -> None:
    assert normalise(typed) == form


@pytest.mark.parametrize("form", sorted({form for _, form in _forms()}))
def test_the_form_of_a_form_is_itself(form: str) -> None:
    assert normalise(form) == form


@pytest.mark.parametrize(
    ("numeral", "value"),
    [("十五", 15), ("三百二", 320), ("一万五", 15_000), ("一万零五百", 10_500), ("二〇二一", 2021), ("两", 2)],
)
def test_a_han_numeral_has_its_value(numeral: str, value: int) -> None:
    assert han_number(numeral) == value


@pytest.mark.parametrize("text", ["", "三四十", "几十", "班"])
def test_what_is_no_exact_number_has_no_value(text: str) -> None:
    assert han_number(text) is None


def test_a_long_letter_is_cut() -> None:
    assert len(normalise("收" * 5_000)) == MAX_QUESTION


def test_questions_are_parted_at_breaks_but_not_inside_figures() -> None:
    assert segments("占地10,688平方米吗，几号报名？ 带什么") == ["占地10688平方米吗", "几号报名", "带什么"]


def test_only_punctuation_is_no_question() -> None:
    assert normalise("？？！") == ""
    assert segments("？ ！") == []
