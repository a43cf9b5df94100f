"""Service: its settings, told from the code."""

from __future__ import annotations

from zonalbatch.service.settings import PREFIX, Settings

__all__ = ["table"]

OTHERWISE = {"workers": "processors", "cluster": "2 local workers"}
"""Defaults that are no plain values, or those of the machine that builds the pages."""
MIB = 2**20


def table() -> str:
    """A row for each setting."""
    rows = ["| variable | default | |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        told = OTHERWISE.get(name) or _told(field.default)
        rows.append(f"| `{PREFIX}{name.upper()}` | {told} | {field.description} |")
    return "\n".join(rows)


def _told(default: object) -> str:
    """A default as one would set it."""
    if default in (None, ()):
        return ""
    if isinstance(default, int) and default > MIB and default % MIB == 0:
        return f"`{default // MIB}MiB`"
    return f"`{default}`"
