"""How the text of a message is shown: links, and numbers that can be tapped."""

from bot.emulator.phone.bubbles import Part, parts_of
from bot.emulator.screen import Option
from tests.bot.emulator.phone_stage import ANSWER, STEPS, WHICH_PLACE


def text_of(parts: list[Part]) -> str:
    return "".join(part.text for part in parts)


def test_plain_text_is_shown_as_it_is() -> None:
    assert text_of(parts_of(ANSWER)) == ANSWER
    assert not any(part.href or part.answer for part in parts_of(ANSWER))


def test_options_of_a_question_can_be_tapped() -> None:
    options = [part for part in parts_of(WHICH_PLACE) if part.answer]
    assert [(part.answer, part.text) for part in options] == [
        ("1", "1. 堰口镇"),
        ("2", "2. 进化镇"),
        ("3", "3. 宿城区"),
    ]


def test_numbered_steps_are_no_options() -> None:
    assert not any(part.answer for part in parts_of(STEPS))


def test_only_the_last_list_of_a_message_has_options() -> None:
    text = "要带：\n1. 户口簿\n2. 接种证\n如果不是问这个，回复数字：\n1. 收费\n2. 时间"
    assert [part.text for part in parts_of(text) if part.answer] == ["1. 收费", "2. 时间"]


def test_an_older_message_keeps_its_text_but_no_options() -> None:
    parts = parts_of(WHICH_PLACE, can_be_tapped=False)
    assert text_of(parts) == WHICH_PLACE
    assert not any(part.answer for part in parts)


def test_lines_of_a_menu_message_carry_their_ids() -> None:
    parts = parts_of("有用吗？\n有用\n没用", (Option("u1", "有用"), Option("u2", "没用")))
    assert [(part.text, part.option_id) for part in parts if part.option_id] == [("有用", "u1"), ("没用", "u2")]


def test_web_links_lead_somewhere() -> None:
    parts = parts_of('见<a href="https://example.org/?a=1&amp;b=2">方案</a>和 http://example.org/x。')
    links = [(part.text, part.href) for part in parts if part.href]
    assert links == [("方案", "https://example.org/?a=1&b=2"), ("http://example.org/x", "http://example.org/x")]


def test_other_links_are_only_words() -> None:
    parts = parts_of('<a href="javascript:alert(1)">点我</a><a data-miniprogram-appid="wx1" href="pages/a">小程序</a>')
    assert text_of(parts) == "点我小程序"
    assert not any(part.href for part in parts)
