"""The job: a run as a document, checked key by key; `Job.schema_json` describes it to editors.

    values ◄─ items ◄─ keys ◄─ problems ◄─ text ◄─ document

An arrow points to what is imported.
"""

from __future__ import annotations

from zonalbatch.job.document import Job
from zonalbatch.job.items import ItemSource, StackSource, StacSource
from zonalbatch.job.keys import (
    AddressCluster,
    ArraySource,
    BandKeys,
    CogSource,
    LimitKeys,
    LocalCluster,
    MaskKeys,
    OutputKeys,
    ZoneKeys,
)

__all__ = [
    "AddressCluster",
    "ArraySource",
    "BandKeys",
    "CogSource",
    "ItemSource",
    "Job",
    "LimitKeys",
    "LocalCluster",
    "MaskKeys",
    "OutputKeys",
    "StacSource",
    "StackSource",
    "ZoneKeys",
]
