"""The job: a run as a document, checked key by key; `Job.schema_json` describes it to editors.

    values ◄─ keys ◄─ problems ◄─ text ◄─ document

An arrow points to what is imported.
"""

from __future__ import annotations

from zonalbatch.job.document import Job
from zonalbatch.job.keys import (
    AddressCluster,
    ArraySource,
    BandKeys,
    CogSource,
    LimitKeys,
    LocalCluster,
    MaskKeys,
    OutputKeys,
    StacSource,
    ZoneKeys,
)

__all__ = [
    "AddressCluster",
    "ArraySource",
    "BandKeys",
    "CogSource",
    "Job",
    "LimitKeys",
    "LocalCluster",
    "MaskKeys",
    "OutputKeys",
    "StacSource",
    "ZoneKeys",
]
