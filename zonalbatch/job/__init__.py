"""The job: a run as a document, checked key by key; `Job.schema_json` describes it to editors.

    values ◄─ items, clusters ◄─ keys ◄─ problems ◄─ text ◄─ document

An arrow points to what is imported.
"""

from __future__ import annotations

from zonalbatch.job.clusters import (
    AddressCluster,
    ClusterKeys,
    CustomCluster,
    GatewayCluster,
    ListenCluster,
    LocalCluster,
    QueueCluster,
    Range,
    TlsKeys,
)
from zonalbatch.job.document import Job
from zonalbatch.job.items import ItemSource, StackSource, StacSource
from zonalbatch.job.keys import (
    ArraySource,
    BandKeys,
    CogSource,
    LimitKeys,
    MaskKeys,
    OutputKeys,
    ZoneKeys,
)

__all__ = [
    "AddressCluster",
    "ArraySource",
    "BandKeys",
    "ClusterKeys",
    "CogSource",
    "CustomCluster",
    "GatewayCluster",
    "ItemSource",
    "Job",
    "LimitKeys",
    "ListenCluster",
    "LocalCluster",
    "MaskKeys",
    "OutputKeys",
    "QueueCluster",
    "Range",
    "StacSource",
    "StackSource",
    "TlsKeys",
    "ZoneKeys",
]
