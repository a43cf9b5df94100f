"""Over time: the dates of each zone, put together by periods, from the states that rows keep.

A job asks for it by ``temporal``. Workers keep in each row the states that the statistics over
time are made from, so that the table is made when a run is sealed, without a pixel.
"""

from __future__ import annotations

from zonalbatch.temporal.stretches import write_stretches
from zonalbatch.temporal.table import check_temporal_names, temporal_schema
from zonalbatch.temporal.temporal import Temporal

__all__ = ["Temporal", "check_temporal_names", "temporal_schema", "write_stretches"]
