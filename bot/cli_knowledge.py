"""Commands over the shipped knowledge: no server, no database, no WeChat."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.clock import SystemClock, local_date
from knowledge.answer import Answer
from knowledge.base import KnowledgeBase, Trace
from knowledge.clusters import cluster
from knowledge.entry import ROLE_CODES
from knowledge.evaluation import evaluate, read_bank
from knowledge.frame import Asker
from knowledge.loader import ContentFaults, load, shipped_folders
from knowledge.snapshot import default_folder
from knowledge.words import LexiconFault

if TYPE_CHECKING:
    from bot.config import Settings
    from handlers.policy.service.question_log import Unanswered

knowledge_app = typer.Typer(no_args_is_help=True, help="知识库：检查、评测、没答上的问题。")

Content = Annotated[
    list[Path] | None,
    typer.Option("--content", exists=True, file_okay=False, help="知识文件夹，可写多次；不写就用自带的。"),
]


def ask(
    question: Annotated[str | None, typer.Argument(help="要问的话。")] = None,
    place: Annotated[str | None, typer.Option(help="提问人所在的地方或学校。")] = None,
    role: Annotated[str, typer.Option(help="parent、teacher、head 或 admin。")] = "parent",
    content: Content = None,
    batch: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="一行一问的 JSONL 文件。")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="用 JSON 输出。")] = False,
    explain: Annotated[bool, typer.Option(help="写出每一步：词、框架、候选、分数、理由。")] = False,
) -> None:
    """问一句，答一句；不需要服务器和数据库。"""
    if (question is None) == (batch is None):
        raise typer.BadParameter("要么给一句问话，要么给 --batch 文件。")
    if role not in ROLE_CODES:
        raise typer.BadParameter(f"--role 只能是 {'、'.join(ROLE_CODES)}。")
    base = _loaded(content)
    if batch is not None:
        _batch(base, batch)
        return
    assert question is not None
    answer, trace = base.explain(question, _asker(place, role))
    if as_json:
        typer.echo(json.dumps(answer_fields(answer), ensure_ascii=False, indent=1))
    else:
        typer.echo(answer.text)
    if explain:
        typer.echo("\n".join(_explained(answer, trace)), err=as_json)


def answer_fields(answer: Answer) -> dict[str, Any]:
    """The answer in the shape of `ask --json`, `--batch` and `POST /api/v1/questions`."""
    return {
        "answer": answer.text,
        "outcome": str(answer.outcome),
        "citations": [asdict(citation) for citation in answer.citations],
        "article": answer.article,
    }


def _asker(place: str | None, role: str | None) -> Asker:
    return Asker(_today(), place or None, ROLE_CODES.get(role or ""))


def _today() -> date:
    return local_date(SystemClock().now())


def _loaded(content: list[Path] | None) -> KnowledgeBase:
    try:
        return KnowledgeBase.load(content, snapshots=default_folder())
    except (ContentFaults, LexiconFault) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


def _batch(base: KnowledgeBase, path: Path) -> None:
    for number, item in _lines(path):
        if not isinstance(item, dict) or not isinstance(item.get("q"), str):
            typer.echo(f"{path}:{number}: 每行要有 id 和 q", err=True)
            raise typer.Exit(2)
        answer = base.answer(item["q"], _asker(item.get("place"), item.get("role")))
        line = {"id": item.get("id"), **answer_fields(answer)}
        sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")


def _lines(path: Path) -> Iterator[tuple[int, Any]]:
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                yield number, json.loads(line)
            except json.JSONDecodeError as error:
                typer.echo(f"{path}:{number}: 不是 JSON（{error}）", err=True)
                raise typer.Exit(2) from error


def _explained(answer: Answer, trace: Trace) -> Iterator[str]:
    yield "--- 说明 ---"
    yield f"结果：{answer.outcome}　条目：{answer.article or '无'}　理由：{trace.reason}"
    frame = trace.frame
    if frame is None:
        return
    where = "不知道" if frame.where is None else f"{frame.where.name}（{'有' if frame.where.known else '没有'}收录）"
    yield f"词面：{frame.text}　原文：{frame.original}"
    yield f"地方：{where}　学段：{_words(frame.stages)}　所问：{_words(frame.attributes)}"
    yield f"概念：{_words(frame.concepts)}"
    if trace.decision is not None:
        yield f"把握：{trace.decision.chance:.2f}　判定：{trace.decision.verdict}"
    yield "候选："
    for match in trace.matches[:6]:
        features = "　".join(f"{key} {value:.2f}" for key, value in match.features.items() if value)
        yield f"  {match.score:6.2f}  {match.entry.key}（{match.bond.name.lower()}）  {match.entry.question}"
        yield f"          {features}"


def _words(items: frozenset[Any]) -> str:
    return "、".join(sorted(map(str, items))) or "无"


@knowledge_app.command()
def check(content: Content = None) -> None:
    """检查全部知识文件和词表；有错就指出文件和行号。"""
    try:
        entries = load(content or shipped_folders())
        base = KnowledgeBase(entries)
    except (ContentFaults, LexiconFault) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    plans = {entry.plan.id for entry in base.entries}
    gaps = sum(entry.is_gap for entry in base.entries)
    typer.echo(f"没有发现错误：{len(plans)} 份方案，{base.size - gaps} 条答案，{gaps} 条已知缺口。")


@knowledge_app.command("eval")
def evaluate_bank(
    bank: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="题库 JSONL。")],
    content: Content = None,
    as_json: Annotated[bool, typer.Option("--json", help="用 JSON 输出。")] = False,
    fails: Annotated[bool, typer.Option(help="列出没有通过的题。")] = False,
) -> None:
    """用题库评测，按题型给出通过率。"""
    try:
        questions = read_bank(bank)
    except ValueError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    base = _loaded(content)
    report = evaluate(questions, lambda item: base.answer(item.text, _asker(item.place, item.role)))
    if fails:
        for question, fault, text in report.failures:
            typer.echo(f"{question.id} {question.kind} {question.place or ''}｜{question.text}｜{fault}｜{text[:80]!r}")
    summary = report.summary()
    if as_json:
        typer.echo(json.dumps(summary, ensure_ascii=False))
        return
    for kind, (good, total) in summary["by_kind"].items():
        typer.echo(f"{kind:14s} {good:4d} / {total}")
    for name in ("answerable", "unanswerable", "false_declines", "passed"):
        value = summary[name]
        typer.echo(f"{name:14s} {'-' if value is None else f'{value:.3f}'}")


@knowledge_app.command()
def unanswered(
    config: Annotated[
        Path | None, typer.Option("--config", envvar="XIANGXIAO_CONFIG", exists=True, dir_okay=False, help="配置文件。")
    ] = None,
    days: Annotated[int, typer.Option(min=1, help="看最近几天的。")] = 30,
    limit: Annotated[int, typer.Option(min=1, help="最多列几组。")] = 30,
    as_json: Annotated[bool, typer.Option("--json", help="用 JSON 输出，一行一组。")] = False,
) -> None:
    """最近没答上、或答了没用的问题，意思相近的放在一组，问得最多的在前。"""
    # imported here: asking and checking need none of the service
    from bot.app import load_knowledge
    from bot.cli_config import read_settings

    settings = read_settings(config)
    found = asyncio.run(_unanswered(settings, timedelta(days=days)))
    clusters = cluster([(item.text, item.times) for item in found], load_knowledge(settings))
    if not clusters and not as_json:
        typer.echo(f"最近{days}天没有没答上的问题。")
    for one in clusters[:limit]:
        if as_json:
            typer.echo(json.dumps(asdict(one), ensure_ascii=False))
            continue
        typer.echo(f"{one.times} 次　{'／'.join(one.texts[:5])}")
        typer.echo(f"        最接近的条目：{one.nearest or '没有'}")


async def _unanswered(settings: Settings, span: timedelta) -> list[Unanswered]:
    from bot.storage.database import open_database
    from handlers.policy.service.question_log import QuestionLog

    clock = SystemClock()
    async with open_database(settings):
        return await QuestionLog(clock).unanswered(clock.now() - span)
