"""A snapshot changes how fast a base is there, never what it answers."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pytest

from knowledge import snapshot
from knowledge.base import KnowledgeBase
from knowledge.frame import Asker
from tests.knowledge import content

QUESTIONS = ("晚托多少钱", "晚托要交几多钱", "一个班最多多少人", "小学报名是几号", "明天下雨不", "不上晚托了能退钱吗")


def answers(base: KnowledgeBase) -> list[str]:
    return [base.answer(question, Asker(date(2026, 11, 21))).text for question in QUESTIONS]


def test_a_base_from_a_snapshot_answers_as_one_built_in_place(tmp_path: Path) -> None:
    folder = content.write(tmp_path)
    kept = tmp_path.resolve() / "kept"
    built = KnowledgeBase.load([folder], snapshots=kept)
    assert len(list(kept.glob(f"*{snapshot.SUFFIX}"))) == 1
    read = KnowledgeBase.load([folder], snapshots=kept)
    assert answers(built) == answers(read) == answers(KnowledgeBase.load([folder]))


def test_changed_content_gets_a_snapshot_of_its_own(tmp_path: Path) -> None:
    before = snapshot.fingerprint([content.write(tmp_path)])
    content.write(tmp_path, {"care.yaml": content.CARE.replace("300元", "320元")})
    assert snapshot.fingerprint([tmp_path]) != before


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, list[str]]:
    """Some content, its snapshot, and what it answers."""
    folder = content.write(tmp_path_factory.mktemp("whole"))
    kept = folder.resolve() / "kept"
    expected = answers(KnowledgeBase.load([folder], snapshots=kept))
    [path] = kept.glob(f"*{snapshot.SUFFIX}")
    return folder, path, expected


@pytest.mark.parametrize("left", [0, 40, 1000, -200])
def test_a_cut_file_is_built_again(whole: tuple[Path, Path, list[str]], tmp_path: Path, left: int) -> None:
    folder, path, expected = whole
    cut = tmp_path.resolve() / path.name
    cut.write_bytes(path.read_bytes()[:left])
    assert answers(KnowledgeBase.load([folder], snapshots=cut.parent)) == expected
    assert cut.stat().st_size == path.stat().st_size


def test_where_nothing_can_be_written_the_base_is_built_in_place(tmp_path: Path) -> None:
    folder = content.write(tmp_path)
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    assert answers(KnowledgeBase.load([folder], snapshots=blocked / "kept")) == answers(KnowledgeBase.load([folder]))


def test_only_the_latest_snapshots_are_kept(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    for number in range(snapshot.KEPT):
        old = kept / f"{number}{snapshot.SUFFIX}"
        old.write_bytes(b"")
        os.utime(old, (number, number))
    snapshot.write(kept / f"new{snapshot.SUFFIX}", [content.write(tmp_path)])
    assert {path.stem for path in kept.glob(f"*{snapshot.SUFFIX}")} == {"new", *map(str, range(1, snapshot.KEPT))}
