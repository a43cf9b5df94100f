"""Group: what all groups of keys of a job document have in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

__all__ = ["Keys"]


class Keys(BaseModel):
    """A group of keys: frozen, nothing unknown, each described by its docstring."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)
