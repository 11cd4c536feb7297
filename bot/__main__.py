"""The command line. Each command lives in a module that is imported only when it is called, so that all start fast."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence

import typer

from bot.errors import AppError

# Command → module and name in it: a function is a command, a `Typer` a group of commands.
COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("bot.cli_demo", "demo"),
    "serve": ("bot.cli_serve", "serve"),
    "worker": ("bot.cli_worker", "worker"),
    "migrate": ("bot.cli_serve", "migrate"),
    "check-config": ("bot.cli_serve", "check_config"),
    "ask": ("bot.cli_knowledge", "ask"),
    "knowledge": ("bot.cli_knowledge", "knowledge_app"),
    "menu": ("bot.cli_wechat", "menu_app"),
    "demo-data": ("bot.cli_demo_data", "demo_data"),
    "admin": ("bot.cli_admin", "admin_app"),
    "audit": ("bot.cli_audit", "audit_app"),
    "backup": ("bot.cli_backup", "backup"),
    "restore": ("bot.cli_backup", "restore"),
    "keys": ("bot.cli_keys", "keys_app"),
    "retention": ("bot.cli_retention", "retention"),
    "rehearse": ("bot.cli_rehearse", "rehearse"),
}


def build_cli(arguments: Sequence[str]) -> typer.Typer:
    """The commands: only the one that is called, or all of them for the overview."""
    called = next((word for word in arguments if not word.startswith("-")), None)
    root = typer.Typer(
        name="xiangxiao",
        help="乡校：家长问政策，有根有据地答。",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    # With a callback typer keeps the name of a single command as a word to be typed.
    root.callback()(lambda: None)
    for name in [called] if called in COMMANDS else COMMANDS:
        _add(root, name)
    return root


def _add(root: typer.Typer, name: str) -> None:
    module_name, attribute = COMMANDS[name]
    if importlib.util.find_spec(module_name) is None:
        return
    command = getattr(importlib.import_module(module_name), attribute)
    if isinstance(command, typer.Typer):
        root.add_typer(command, name=name)
    else:
        root.command(name)(command)


def main() -> None:
    """Runs a command. Exit codes: 0 done, 1 what was asked for did not hold, 2 wrong use."""
    try:
        build_cli(sys.argv[1:])(prog_name="xiangxiao")
    except AppError as error:
        typer.echo(error.message, err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
