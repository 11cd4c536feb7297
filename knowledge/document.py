"""YAML with line numbers: every scalar is text, every fault names file and line.

Text only, because a clerk who writes `17:20` or `否` means those characters; YAML's own guesses (1040, False) do not.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

from knowledge.entry import Fault

_Loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # the C loader is 8x faster, where the wheel has it


@dataclass(frozen=True, slots=True)
class Node:
    """A value of a content file and the line (from 1) it stands on."""

    value: str | list[Node] | dict[str, Node]
    line: int


class Faults:
    """Collects faults of one file, so that a clerk sees them all at once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.items: list[Fault] = []

    def add(self, line: int, message: str) -> None:
        """Record `message` for `line`."""
        self.items.append(Fault(self.path, line, message))

    def keys(self, node: Node, allowed: frozenset[str], where: str) -> dict[str, Node]:
        """The mapping in `node`; wrong shape and unknown keys become faults."""
        if not isinstance(node.value, dict):
            self.add(node.line, f"{where}应当是“键: 值”的形式")
            return {}
        for key, child in node.value.items():
            if key not in allowed:
                self.add(child.line, f"{where}里不认识的键“{key}”，可用：{'、'.join(sorted(allowed))}")
        return node.value

    def text(self, node: Node | None, where: str, *, default: str = "") -> str:
        """The text in `node`, stripped; a list or mapping is a fault."""
        if node is None:
            return default
        if not isinstance(node.value, str):
            self.add(node.line, f"“{where}”应当是一段文字")
            return default
        return node.value.strip()

    def items_of(self, node: Node | None, where: str) -> list[Node]:
        """The list in `node`; an empty value is an empty list, anything else a fault."""
        if node is None or node.value == "":
            return []
        if not isinstance(node.value, list):
            self.add(node.line, f"“{where}”应当是列表")
            return []
        return node.value

    def texts(self, node: Node | None, where: str) -> tuple[str, ...]:
        """A list of texts, empty ones left out."""
        found = (self.text(item, where) for item in self.items_of(node, where))
        return tuple(text for text in found if text)


def read(path: Path, faults: Faults) -> Node | None:
    """Parse `path`; `None` (and a fault) when it is not UTF-8 or not YAML."""
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=_Loader)
    except UnicodeDecodeError:
        faults.add(1, "文件不是UTF-8编码")
        return None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        faults.add(line, f"YAML格式有错：{error.problem or error}")
        return None
    except yaml.YAMLError as error:
        faults.add(1, f"YAML格式有错：{error}")
        return None
    if root is None:
        faults.add(1, "文件是空的")
        return None
    return _convert(root, faults)


def _convert(node: yaml.Node, faults: Faults) -> Node:
    line = node.start_mark.line + 1
    if isinstance(node, yaml.ScalarNode):
        return Node(str(node.value), line)
    if isinstance(node, yaml.SequenceNode):
        return Node([_convert(child, faults) for child in node.value], line)
    result: dict[str, Node] = {}
    for key_node, child in node.value:
        key = str(key_node.value)
        if key in result:
            faults.add(key_node.start_mark.line + 1, f"键“{key}”写了两次")
        result[key] = _convert(child, faults)
    return Node(result, line)
