"""Picks: of the rows of a zone in a window of time, the one that shows most of it.

pick       which rows those are
picking    done at the seal, over the rows that parts have written
"""

from __future__ import annotations
