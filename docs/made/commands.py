"""Commands: the command line, told from the program itself."""

from __future__ import annotations

import re
from typing import Any

import typer

from zonalbatch.cli.app import app

__all__ = ["page"]


def page() -> str:
    """A section for each command, in the order of the program's own help."""
    root: Any = typer.main.get_command(app)
    return "\n\n".join(_section(name, command) for name, command in root.commands.items())


def _section(name: str, command: Any) -> str:
    words = [_name(one) for one in command.params if _is_argument(one)]
    lines = [f"## {name}", "", f"`{' '.join(['zonalbatch', name, *words])}`", ""]
    lines += [_help(command.help or ""), "", "| | | default |", "|---|---|---|"]
    lines += [_row(one) for one in command.params if one.name != "help"]
    return "\n".join(lines)


def _row(one: Any) -> str:
    name = _name(one) if _is_argument(one) else ", ".join(one.opts)
    default = "" if one.default in (None, False, (), []) or callable(one.default) else one.default
    told = f"`{_cell(default)}`" if default != "" else "required" if one.required else ""
    return f"| `{_cell(name)}` | {_cell(one.help or '')} | {told} |"


def _name(one: Any) -> str:
    return str(one.metavar or one.name.upper())


def _is_argument(one: Any) -> bool:
    return bool(one.param_type_name == "argument")


def _cell(value: object) -> str:
    """A text that may stand in a table."""
    return re.sub(r"\s+", " ", str(value)).replace("|", "\\|").strip()


def _help(text: str) -> str:
    """A command's help: paragraphs as they are, examples as code."""
    parts = re.split(r"\n\s*\n", text.replace("\b", "").strip("\n"))
    told = "\n\n".join(filter(None, map(_paragraph, parts)))
    return told.replace("\n```\n\n```sh", "")  # examples of neighbouring paragraphs


def _paragraph(part: str) -> str:
    lines = " ".join(part.split())
    if lines in ("**Example**", "**Examples**"):
        return ""
    examples = re.findall(r"`([^`]+)`", lines) if lines.startswith("Example") else []
    if part.startswith("    "):
        examples = [lines]
    return "\n".join(["```sh", *examples, "```"]) if examples else lines
