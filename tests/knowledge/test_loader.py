from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from knowledge.entry import Attribute, FactKind, PlanStatus, Stage
from knowledge.loader import ContentFaults, load
from tests.knowledge import content


def faults_of(folder: Path, text: str) -> list[str]:
    (folder / "plan.yaml").write_text(text.lstrip("\n"), encoding="utf-8")
    with pytest.raises(ContentFaults) as caught:
        load([folder])
    return [str(fault) for fault in caught.value.faults]


def test_every_part_of_a_file_is_read(tmp_path: Path) -> None:
    entries = {entry.key: entry for entry in load([content.write(tmp_path)])}
    entry = entries["liuxi/register-primary"]
    assert entry.plan.place.levels == ("江北省", "青石县", "柳溪镇")
    assert entry.plan.validity.on(date(2026, 1, 1)) is PlanStatus.ENDED
    assert entry.stages == {Stage.PRIMARY}
    assert entry.attributes == {Attribute.DATE}
    assert (entry.facts[0].kind, entry.facts[0].value) == (FactKind.DATE, "7月24日至28日")
    assert (entry.dates[0].start, entry.dates[0].end) == ("2021-07-24", "2021-07-28")
    assert entries["care/gap-refund"].is_gap
    assert entries["care/fee"].plan.place.name is None


def test_a_clock_time_and_a_no_stay_text(tmp_path: Path) -> None:
    text = content.CARE.replace("问法: [晚托到几点,", "问法: [17:20, no,")
    entries = {entry.key: entry for entry in load([content.write(tmp_path, {"care.yaml": text})])}
    assert entries["care/ends"].phrasings[:2] == ("17:20", "no")


def test_a_number_that_is_no_fact_is_a_fault_with_file_and_line(tmp_path: Path) -> None:
    found = faults_of(tmp_path, content.CARE.replace("答: 每学期300元", "答: 每学期320元"))
    assert len(found) == 1
    line = content.CARE.lstrip("\n").splitlines().index("  - 编号: fee") + 1
    assert found[0].startswith(f"{tmp_path / 'plan.yaml'}:{line}: ")
    assert "320" in found[0]


def test_all_faults_of_all_files_come_at_once(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("方案: {编号: [", encoding="utf-8")
    (tmp_path / "latin.yaml").write_bytes("方案: 例".encode("gbk"))
    found = faults_of(
        tmp_path, content.CARE.replace("所问: [金额]", "所问: [价钱]").replace("状态: 未注明", "状态: 作废")
    )
    assert {Path(fault.split(":")[0]).name for fault in found} == {"broken.yaml", "latin.yaml", "plan.yaml"}
    assert any("价钱" in fault for fault in found)
    assert any("作废" in fault for fault in found)


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("  - 编号: ends", "  - 编号: fee", "重复"),
        ("问法: [晚托到几点, 延时班几点放学, 我几点去接娃]", "问法: [晚托到几点]", "问法少于"),
        ("不是: [早上几点上学]", "不是: []", "不是"),
        ("话题: [课后服务时间]", "话题: []", "话题"),
        ("晚托到几点, 延时班", "晚托多少钱, 延时班", "也写在"),
        ("编号: care", "编号: 课后", "小写字母"),
        ("缺口: {缺: 没有写怎么退费, 问: 班主任}", "缺口: {缺: 没有写怎么退费}", "问谁"),
        ("询问: 班主任或学校", "咨询: 班主任或学校", "不认识的键"),
        ("值: 300元, 项", "价: 300元, 项", "不认识的键"),
    ],
)
def test_a_clerks_slip_is_named(tmp_path: Path, old: str, new: str, word: str) -> None:
    assert old in content.CARE
    assert any(word in fault for fault in faults_of(tmp_path, content.CARE.replace(old, new, 1)))


@pytest.mark.parametrize("day", ["2021-02-30", "2021年7月", "7-24"])
def test_a_date_that_is_none_is_a_fault(tmp_path: Path, day: str) -> None:
    assert any(day in fault for fault in faults_of(tmp_path, content.LIUXI.replace("起: 2021-07-24", f"起: {day}")))


def test_two_files_may_not_share_a_plan(tmp_path: Path) -> None:
    (tmp_path / "again.yaml").write_text(content.CARE.lstrip("\n"), encoding="utf-8")
    assert any("已在" in fault for fault in faults_of(tmp_path, content.CARE))


def test_an_empty_folder_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(ContentFaults):
        load([tmp_path])
