"""What a run imports, and compiles or loads, before any of it is timed or killed."""

from __future__ import annotations

import distributed

import zonalbatch
import zonalbatch.api
import zonalbatch.engine
import zonalbatch.places.bucket
import zonalbatch.places.folder
import zonalbatch.seal
import zonalbatch.work.part

__all__ = ["distributed", "zonalbatch"]
