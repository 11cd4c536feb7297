"""Taking personal data out of what people write: numbers that identify, and names.

Numbers are recognised by their form. Names are recognised by what stands around them (我叫…, …同学), which finds most
and not all: what is cleaned this way is still kept encrypted.
"""

from __future__ import annotations

import re

NAME = "某某"
NUMBER = "（号码）"
ADDRESS = "（网址）"

_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林郑谢罗梁宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭"
    "陆汪范金石廖贾夏韦付傅方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤葛"
)
_TITLE = "老师|同学|小朋友|校长|主任|书记|医生|阿姨|叔叔|家长|妈妈|爸爸"
# Words that begin like a name and stand before a title: 高中老师 is nobody's name.
_NO_NAMES = frozenset(
    (
        "高中",
        "高一",
        "高二",
        "高三",
        "高年级",
        "高级",
        "许多",
        "任课",
        "任何",
        "任教",
        "金牌",
        "方便",
        "白天",
        "余下",
        "万一",
        "田径",
        "武术",
        "江苏",
        "于是",
        "龙头",
        "夏天",
        "何时",
        "何种",
    )
)
_LONG_NUMBER = re.compile(r"(?<![\d.])\+?\d(?:[ \-—]?\d){6,18}[xX]?(?!\d)")
_MAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+")
_LINK = re.compile(r"https?://\S+|www\.\S+")
_ACCOUNT = re.compile(r"(?:微信号?|[qQ]{2}号?|账号)\s*[:：是为]?\s*[A-Za-z0-9_\-]{5,}")
_OPENID = re.compile(r"(?<![A-Za-z0-9_-])(?:o[A-Za-z0-9_-]{27}|(?:mp_)?demo_[a-z]{1,2}_\d+)(?![A-Za-z0-9_-])")
_NAMED = re.compile(
    r"(?P<lead>(?:我|他|她|孩子|娃|儿子|女儿|孙子|孙女|学生)(?:的名字)?(?:叫|名叫|是叫)|姓名[:：是为]?|名字(?:叫|是)|名叫)"
    rf"\s*[{_SURNAMES}][\u4e00-\u9fff]{{1,2}}(?=[，,。；;、\s]|$|的|是|在|今|上|读|他|她)"
)
_TITLED = re.compile(rf"(?<!主)(?P<name>[{_SURNAMES}][\u4e00-\u9fff]{{0,2}}?)(?P<title>{_TITLE})")


def without_personal_data(text: str) -> str:
    """The text with numbers, addresses, ids and names replaced by words that say what stood there."""
    text = _LINK.sub(ADDRESS, text)
    for pattern in (_MAIL, _ACCOUNT, _OPENID, _LONG_NUMBER):
        text = pattern.sub(NUMBER, text)
    text = _NAMED.sub(lambda found: f"{found['lead']}{NAME}", text)
    return _TITLED.sub(_masked_title, text)


def _masked_title(found: re.Match[str]) -> str:
    if found["name"] in _NO_NAMES or found["name"] + found["title"][0] in _NO_NAMES:
        return found[0]
    return f"某{found['title']}"
