"""Build tool: writes `lexicon/pinyin.tsv`, the single-character table behind homophone tolerance.

Run by `make lexicon` when the merging rules change. It needs pypinyin, which the service does not: its phrase tables
would cost 58 MiB of memory for nothing, because one most-frequent reading a character is enough to meet a typo.
"""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

TARGET = Path(__file__).parent / "lexicon" / "pinyin.tsv"


def merged(syllable: str) -> str:
    """`syllable` as a southern ear or a voice keyboard hears it: zh/z, ch/c, sh/s and -ng/-n are one."""
    return re.sub(r"ng$", "n", re.sub(r"^([zcs])h", r"\1", syllable))


def table() -> dict[str, str]:
    """Merged syllable → all characters of GB 2312 read so."""
    from pypinyin import Style, lazy_pinyin

    groups: defaultdict[str, list[str]] = defaultdict(list)
    for high in range(0xB0, 0xF8):
        for low in range(0xA1, 0xFF):
            try:
                character = bytes((high, low)).decode("gb2312")
            except UnicodeDecodeError:
                continue
            groups[merged(lazy_pinyin(character, style=Style.NORMAL)[0])].append(character)
    return {syllable: "".join(characters) for syllable, characters in sorted(groups.items())}


def main() -> None:
    """Write the table."""
    lines = [f"{syllable}\t{characters}\n" for syllable, characters in table().items()]
    TARGET.write_text(
        "# merged toneless syllable<TAB>characters; made by knowledge/build_pinyin.py\n" + "".join(lines),
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
