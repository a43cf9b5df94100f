"""Service: its settings, told from the code."""

from __future__ import annotations

from zonalbatch.service.settings import PREFIX, Settings

__all__ = ["table"]


def table() -> str:
    """A row for each setting."""
    rows = ["| variable | default | |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = field.default
        told = "" if default in (None, ()) else f"`{default}`"
        if name == "workers":
            told = "processors"
        if name == "cluster":
            told = "2 local workers"
        rows.append(f"| `{PREFIX}{name.upper()}` | {told} | {field.description} |")
    return "\n".join(rows)
