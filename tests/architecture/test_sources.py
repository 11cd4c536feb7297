"""House rules that a machine can read off the sources."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.sources import CAPABILITIES, ROOT, Function, functions, imported, product_files, tree, where

LONGEST_FILE = 400
LONGEST_FUNCTION = 45
DEEPEST_NESTING = 3

# The files a capability may have, each with the one thing it holds.
VOCABULARY = {
    "__init__.py", "capability.py", "chat.py", "api.py", "admin.py", "jobs.py", "service.py", "domain.py", "models.py",
    "schemas.py", "texts.py",
}  # fmt: skip
# What outgrows one file becomes a package of the same name.
FOLDERS = {"domain", "models", "service", "chat", "api", "admin", "texts", "templates"}
ENTRY_POINTS = ("chat", "api", "admin", "jobs")


def parts(folder: Path, name: str) -> list[Path]:
    """The files of one part of a capability: `name.py`, or those of the package `name`."""
    return sorted(path for path in [folder / f"{name}.py", *(folder / name).glob("*.py")] if path.exists())


def test_there_is_something_to_check() -> None:
    assert len(product_files()) > 30


def test_files_are_short() -> None:
    lengths = {path: path.read_text("utf-8").count("\n") for path in product_files()}
    assert [where(path, lines) for path, lines in lengths.items() if lines > LONGEST_FILE] == []


def test_functions_are_short() -> None:
    long = [
        f"{where(path, node.lineno)} {node.name}"
        for path in product_files()
        for node in functions(path)
        if (node.end_lineno or 0) - node.lineno >= LONGEST_FUNCTION
    ]
    assert long == []


def test_functions_are_flat() -> None:
    deep = [
        f"{where(path, node.lineno)} {node.name} ({depth})"
        for path in product_files()
        for node in functions(path)
        if (depth := max(_depths(node.body, 0), default=0)) > DEEPEST_NESTING
    ]
    assert deep == []


def _depths(body: list[ast.stmt], depth: int) -> Iterator[int]:
    yield depth
    for statement in body:
        if isinstance(statement, Function | ast.ClassDef):
            continue  # looked at by itself
        inner = depth + isinstance(statement, ast.If | ast.For | ast.AsyncFor | ast.While | ast.Try | ast.Match)
        for name in ("body", "orelse", "finalbody"):
            branch = getattr(statement, name, [])
            # `elif` is written beside its `if`, not inside it.
            chained = name == "orelse" and len(branch) == 1 and isinstance(branch[0], ast.If)
            yield from _depths(branch, depth if chained else inner)
        for handler in getattr(statement, "handlers", []) + getattr(statement, "cases", []):
            yield from _depths(handler.body, inner)


def test_nothing_is_left_unfinished() -> None:
    marks = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|NotImplementedError")
    found = [
        where(path, number)
        for path in product_files()
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if marks.search(line)
    ]
    assert found == []


def test_nothing_names_a_machine_or_a_registry() -> None:
    # In brackets, or this file would be the first to be found.
    names = re.compile(r"py[p]i\.org|python[h]osted|npm[j]s\.|/[r]oot/|/[h]ome/|/[w]ork/")
    folders = ("bot", "handlers", "knowledge", "migrations", "tests", ".ci")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*")] + list(ROOT.iterdir())
    texts = {
        path: path.read_text("utf-8", errors="replace")
        for path in files
        if path.is_file() and path.suffix in {".py", ".md", ".toml", ".yaml", ".json", ""}
    }
    assert [str(path.relative_to(ROOT)) for path, text in texts.items() if names.search(text)] == []


# What would outlive a transaction on PostgreSQL: connections are given back to the pool as they are.
OF_A_SESSION = re.compile(
    r"pg_(try_)?advisory_lock(_shared)?\(|\b(UN)?LISTEN \w|\bSET (SESSION|ROLE|TIME ZONE|search_path)\b"
    r"|\bSET (enable|statement|lock|idle|default|work|jit)\w* ?(=|TO)|CREATE TEMP|WITH HOLD|set_config\([^)]*false\)"
)
# These have connections of their own, which nobody else is given.
OWN_CONNECTIONS = {ROOT / "bot" / "storage" / "migration.py", ROOT / "bot" / "rehearsal" / "shadow.py"}


def test_nothing_is_left_behind_on_a_connection() -> None:
    found = [
        where(path, node.lineno)
        for path in product_files()
        if path not in OWN_CONNECTIONS
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and OF_A_SESSION.search(node.value)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("statement", "stays"),
    [
        ("SELECT pg_advisory_lock($1)", True),
        ("LISTEN pushes", True),
        ("SET enable_seqscan = off", True),
        ("SELECT set_config('enable_seqscan', 'off', false)", True),
        ("SELECT set_config('enable_seqscan', 'off', true), pg_advisory_xact_lock($1)", False),
        ("SET status = 'sending', claim = $1", False),
        ("SET LOCAL idle_in_transaction_session_timeout = 0", False),
        ("SET TRANSACTION READ WRITE", False),
        ("UPDATE outbox_push SET status = 'sent'", False),
    ],
)
def test_what_stays_on_a_connection_is_recognised(statement: str, stays: bool) -> None:
    assert bool(OF_A_SESSION.search(statement)) is stays


def test_no_module_works_when_it_is_imported() -> None:
    """No task, no client, no file is opened at import: calls at module level are to known, harmless makers only."""
    suspicious = re.compile(r"^(open|connect|create_task|run|mkdir|read_text|read_bytes|get_event_loop|Thread)$")
    found = [
        where(path, node.lineno)
        for path in product_files()
        for node in _at_import(tree(path))
        if suspicious.match(node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", ""))
    ]
    assert found == []


def _at_import(module: ast.Module) -> Iterator[ast.Call]:
    pending: list[ast.AST] = [node for node in module.body if not _is_main_guard(node)]
    while pending:
        node = pending.pop()
        if isinstance(node, Function | ast.Lambda):
            continue
        if isinstance(node, ast.Call):
            yield node
        pending.extend(ast.iter_child_nodes(node))


def _is_main_guard(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and "__name__" in ast.unparse(node.test)


# -------------------------------------------------------------------------------------------------------- capabilities
@pytest.mark.parametrize("folder", CAPABILITIES, ids=lambda folder: folder.name)
def test_a_capability_has_the_same_files_as_every_other(folder: Path) -> None:
    files = {path.name for path in folder.iterdir() if path.is_file()}
    folders = {path.name for path in folder.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert files <= VOCABULARY
    assert folders <= FOLDERS
    assert not {f"{name}.py" for name in folders} & files, "a part is a module or a package, not both"


@pytest.mark.parametrize("folder", CAPABILITIES, ids=lambda folder: folder.name)
def test_a_capability_says_what_it_is_for(folder: Path) -> None:
    module = tree(folder / "__init__.py")
    assert ast.get_docstring(module)
    assert len(module.body) == 1, "an __init__ holds a docstring and imports nothing: every import would run it"


@pytest.mark.parametrize("folder", CAPABILITIES, ids=lambda folder: folder.name)
def test_entry_points_open_no_transaction(folder: Path) -> None:
    found = [
        where(path, line)
        for name in ENTRY_POINTS
        for path in parts(folder, name)
        for module, line in imported(path)
        if module.startswith("bot.storage")
    ]
    assert found == []


@pytest.mark.parametrize("folder", CAPABILITIES, ids=lambda folder: folder.name)
def test_sentences_are_kept_in_texts(folder: Path) -> None:
    """A whole Chinese sentence in a chat module belongs in `texts.py`; key words and patterns may stay."""
    sentence = re.compile(r"[一-鿿][^\n]*[。！？]")
    found = []
    for path in parts(folder, "chat"):
        docstrings = {ast.get_docstring(node, clean=False) for node in [tree(path), *functions(path)]}
        docstrings |= {ast.get_docstring(n, clean=False) for n in ast.walk(tree(path)) if isinstance(n, ast.ClassDef)}
        texts = [node.value for node in ast.walk(tree(path)) if isinstance(node, ast.Constant)]
        found += [text for text in texts if isinstance(text, str) and text not in docstrings and sentence.search(text)]
    assert found == []
