"""Invented names and numbers: of the form of real ones, and recognisably nobody's."""

from __future__ import annotations

from datetime import date
from random import Random
from typing import Final

from handlers.accounts.domain import id_check_digit

MALE: Final = "男"
FEMALE: Final = "女"
SURNAMES: Final = "李王张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文"  # noqa: E501 - one list
TWO_CHARACTER_SURNAMES: Final = ("欧阳", "上官", "司马", "诸葛", "东方", "皇甫", "尉迟", "公孙", "慕容", "令狐")
# One family in so many has a surname of two characters.
_TWO_CHARACTERS_ONE_IN: Final = 120
_MALE_SIGNS: Final = "伟强磊军勇杰涛超明刚平辉鹏华飞波斌宇浩凯健俊帆帅旭宁龙林翔峰成海建国文博志明家栋天佑子轩"
_FEMALE_SIGNS: Final = "芳娜敏静丽娟艳霞秀兰红玲梅燕萍英华云珍莉桂香月凤洁琴雪慧婷欣怡佳琪雨桐思涵梦瑶子萱"
_CHILD_SIGNS: Final = "一子梓思雨欣浩宇轩涵晨佳俊诗语沐泽若安乐嘉祺瑞铭可心星辰文博睿恩禾苗春田晓山清和"
_TOWN_FIRST: Final = "云禾柳青白石榆桃松竹梨槐枫芦莲荷"
_TOWN_SECOND: Final = "溪汀湾坪塘岭渡埠桥泉沟陂浦洼庄港"
# No province has this number, so no such identity number was ever given.
_NOWHERE: Final = "990000"
# No operator has these numbers.
_NOBODYS_PHONE: Final = "169"


class Names:
    """Draws names from a source of chance: the same source, the same names."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def surname(self) -> str:
        """Of one character, now and then of two."""
        if self._random.randrange(_TWO_CHARACTERS_ONE_IN) == 0:
            return self._random.choice(TWO_CHARACTER_SURNAMES)
        return self._random.choice(SURNAMES)

    def grown_up(self, sex: str, surname: str | None = None) -> str:
        """A whole name, of the given surname if one is given."""
        signs = _MALE_SIGNS if sex == MALE else _FEMALE_SIGNS
        return (surname or self.surname()) + self._given(signs, signs)

    def child(self, surname: str, sex: str) -> str:
        """As children are called nowadays."""
        return surname + self._given(_CHILD_SIGNS, _CHILD_SIGNS + (_MALE_SIGNS if sex == MALE else _FEMALE_SIGNS))

    def town(self) -> str:
        """The name of a place, without what kind of place it is."""
        return self._random.choice(_TOWN_FIRST) + self._random.choice(_TOWN_SECOND)

    def sex(self) -> str:
        """One or the other."""
        return self._random.choice((MALE, FEMALE))

    def _given(self, first: str, second: str) -> str:
        return self._random.choice(first) + (self._random.choice(second) if self._random.randrange(6) else "")


class Numbers:
    """Phone and identity numbers, none of them twice. They follow from the order in which they are asked for."""

    def __init__(self) -> None:
        self._phones = 0
        self._of_day: dict[tuple[date, str], int] = {}

    def phone(self) -> str:
        """11 digits of a mobile phone's form that nobody can be called under."""
        self._phones += 1
        return f"{_NOBODYS_PHONE}{self._phones:08d}"

    def identity_number(self, birth: date, sex: str) -> str:
        """18 signs with a right check digit, of a place that is none. At most 500 a day of birth and sex."""
        count = self._of_day.get((birth, sex), 0)
        self._of_day[birth, sex] = count + 1
        order = 2 * count + (sex == MALE)
        first = f"{_NOWHERE}{birth:%Y%m%d}{order:03d}"
        return first + id_check_digit(first)


def roster_number(identity_number: str) -> str:
    """What a school registers the child under: as in real life, made of the identity number."""
    return f"G{identity_number}"
