"""Small talk is answered as such; a question that begins with a greeting is a question."""

from __future__ import annotations

import re

import pytest

from knowledge.conversation import SmallTalk
from knowledge.normalise import clean
from knowledge.texts import SMALL_TALK

TALK = {
    "greeting": (
        "在吗|在吗？|你好|您好！|你好呀👋|老师好|早上好|晚上好啊|有人吗|在不在|hello|Hi|喂喂喂|您好 在吗|"
        "老师在吗|新年好|大家好"
    ),
    "thanks": (
        "谢谢|好的谢谢|谢谢老师|知道了 谢谢您|嗯嗯|好的|ok|收到|明白了|太感谢了|多谢多谢|辛苦了|麻烦你了|"
        "晓得了|行|你真棒|[玫瑰]|[抱拳]"
    ),
    "identity": (
        "你是真人还是机器|你是谁|你是机器人吗|你叫什么名字|您是哪个老师|你是干嘛的|真人吗|你是人是鬼|"
        "你是不是机器人|你几岁了|你姓什么"
    ),
    "ability": "你能干什么|你会啥|怎么用|可以问什么|有什么功能|你都能查些啥|我能问啥|这是干嘛的|咋用啊|你知道啥",
    "bye": "再见|拜拜|88|下次聊|先这样|晚安再见|我走了 拜拜",
    "insult": (
        "傻逼|垃圾|滚|你是猪吗|你个废物|什么破玩意|答非所问|啥也不会|sb|你真笨|你有病吧|骗子|他妈的|要你何用|去死吧"
    ),
    "laugh": "哈哈|哈哈哈哈哈|呵呵|嘿嘿|笑死我了|666|[呲牙]|[捂脸][捂脸]|hhhh",
    "empty": "|   |😀|👍👍|？？？|。。。|……|!!!|🌹🌹🌹",
}
QUESTIONS = (
    "你好 请问几点放学|您好，课后服务多少钱|老师好 我想问报名要啥材料|在吗 一年级哪天报名|谢谢 那交多少钱呢|"
    "好的 那轮岗比例多少|早上几点到校|晚上好几点的晚自习|你能查学区吗|你是哪个学校的机器人 我想问报名|"
    "你知道今年几号报名吗|可以问下食堂几点开饭吗|怎么用居住证报名|怎么用手机登记信息|能帮我查学区吗|"
    "再见了老同学是哪篇课文|垃圾桶放哪|垃圾分类怎么做|学校垃圾谁收|滚动招生吗|笨鸟先飞班有吗|学困生笨怎么办|"
    "骗子打电话说交钱占位咋办|有病能请假吗|真人图书馆是啥|机器人社团有吗|机器人比赛获奖能加分吗|哈尼族加分吗|"
    "行政班多少个|行不行转学|好的学校有哪些|可以不参加课后服务吗|ok镜学校管吗|收到通知书后要干啥|没用的书捐哪|"
    "谁是组长|老师在吗 娃作业忘了|88人一个班合规吗|功能室几间|说明书在哪领|强制轮岗看什么|握手礼仪课|"
    "爱心基金怎么申请|厉害的老师要不要轮岗|什么时候去报到|中班几点放学|得行不得行嘛 没户口报名"
)


@pytest.fixture(scope="module")
def talk() -> SmallTalk:
    return SmallTalk.load()


def whole(text: str) -> str:
    return re.sub(r"[^\w]+", "", clean(text))


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in TALK.items() for text in texts.split("|")])
def test_small_talk_is_recognised(talk: SmallTalk, kind: str, text: str) -> None:
    assert talk.kind(whole(text)) == kind


@pytest.mark.parametrize("text", QUESTIONS.split("|"))
def test_a_question_is_no_small_talk(talk: SmallTalk, text: str) -> None:
    assert talk.kind(whole(text)) is None


def test_every_kind_has_a_short_reply_with_a_next_step(talk: SmallTalk) -> None:
    kinds = {kind for kind, _ in talk.patterns} | {"empty"}
    assert kinds == set(SMALL_TALK)
    assert all(len(text) <= 100 for text in SMALL_TALK.values())
    assert all(re.search("回复|直接|随时", text) for text in SMALL_TALK.values())
