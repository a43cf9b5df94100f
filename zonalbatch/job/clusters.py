"""Clusters: the keys of where workers come from, a group for each kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import (
    Field,
    PlainSerializer,
    PlainValidator,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)

from zonalbatch.arguments import plain_number
from zonalbatch.job.code import check_allowed, load_class
from zonalbatch.job.group import Keys
from zonalbatch.job.values import Count, Location, Text

__all__ = [
    "AddressCluster", "ClusterKeys", "CustomCluster", "GatewayCluster", "ListenCluster",
    "LocalCluster", "QueueCluster", "Range", "TlsKeys", "Workers",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Range:
    """A number of workers that follows the parts which wait."""

    minimum: int
    """Workers that are there even if nothing waits."""
    maximum: int
    """The most workers at once."""


def _workers(value: Any) -> int | Range:
    """A number of workers, or the least and the most of them."""
    if isinstance(value, Range):
        return value
    keys = dict(value) if isinstance(value, Mapping) else {"minimum": value, "maximum": value}
    least, most = plain_number(keys.pop("minimum", 0)), plain_number(keys.pop("maximum", None))
    if keys or not isinstance(least, int) or not isinstance(most, int) or least < 0 or most < 1:
        raise ValueError("write a number, 1 or more, or {minimum: 0, maximum: 20}")
    if least > most:
        raise ValueError(f"minimum {least} is more than maximum {most}")
    return Range(least, most) if isinstance(value, Mapping) else most


def _write_workers(workers: Any) -> Any:
    """The document's form of a number of workers."""
    return asdict(workers) if isinstance(workers, Range) else workers


_NUMBER = {"type": "integer", "minimum": 1}
_LEAST = {"type": "integer", "minimum": 0}
Workers: TypeAlias = Annotated[
    int | Range,
    PlainValidator(_workers),
    PlainSerializer(_write_workers),
    WithJsonSchema(
        {
            "anyOf": [
                _NUMBER,
                {
                    "type": "object",
                    "properties": {
                        "minimum": {"type": "integer", "minimum": 0},
                        "maximum": _NUMBER,
                    },
                    "required": ["maximum"],
                    "additionalProperties": False,
                },
            ]
        }
    ),
]


class TlsKeys(Keys):
    """Certificates by which client, scheduler and workers know each other."""

    ca: Location
    """File of the authority's certificate (PEM)."""
    cert: Location
    """File of the own certificate (PEM)."""
    key: Location
    """File of its key (PEM)."""


class Located(Keys):
    """A scheduler at an address, with or without TLS."""

    tls: TlsKeys | None = None
    """Certificates for tls://; null takes those of Dask's own configuration."""

    @model_validator(mode="after")
    def _speaks_tls(self) -> Located:
        address = getattr(self, "address", "")
        if self.tls is not None and not address.startswith("tls://"):
            raise ValueError(f"tls is of addresses with tls://, which {address} is not")
        return self


Options: TypeAlias = dict[Text, Any]
Address: TypeAlias = Annotated[Text, Field(pattern=r"^[a-z]+://\S+$")]


class LocalCluster(Keys):
    """Worker processes on this machine."""

    kind: Literal["local"]
    """Worker processes on this machine."""
    workers: Workers | None = None
    """Number of processes, or minimum and maximum; null takes one for each processor."""
    threads: Count = 1
    """Dask threads of each process; each works on one part at a time."""


class AddressCluster(Located):
    """A Dask cluster that runs already."""

    kind: Literal["address"]
    """A Dask cluster that runs already."""
    address: Address
    """Address of its scheduler, such as tcp://10.0.0.1:8786."""


class ListenCluster(Located):
    """A scheduler in the process of the run; workers come to it (`zonalbatch worker`)."""

    kind: Literal["listen"]
    """A scheduler in the process of the run, to which workers come."""
    address: Address = "tcp://0.0.0.0:8786"
    """Where it listens."""
    dashboard: Text = ":8787"
    """Where its dashboard and its health are shown, host:port."""


class GatewayCluster(Keys):
    """A cluster of a Dask Gateway."""

    kind: Literal["gateway"]
    """A cluster of a Dask Gateway."""
    address: Text | None = None
    """URL of the gateway; null takes that of Dask's own configuration."""
    name: Text | None = None
    """Name of a cluster that runs already, and goes on when the job is done; null starts one that
    ends with it."""
    workers: Workers | None = None
    """Number of workers, or minimum and maximum; null leaves a named cluster as it is."""
    options: Options = Field(default_factory=dict)
    """Options of the cluster, as the gateway offers them."""

    @model_validator(mode="after")
    def _has_workers(self) -> GatewayCluster:
        if self.name is None and self.workers is None:
            raise ValueError("a new cluster has no workers; say how many by workers")
        if self.name is not None and self.options:
            raise ValueError("options are of new clusters; leave out options or name")
        return self


class QueueCluster(Keys):
    """Workers that are jobs of a queue."""

    kind: Literal["slurm", "pbs", "sge", "lsf", "htcondor", "oar", "moab"]
    """Workers that are jobs of a queue, started by dask-jobqueue."""
    workers: Workers
    """Number of workers, or minimum and maximum."""
    options: Options = Field(default_factory=dict)
    """Options of dask-jobqueue's cluster, such as queue, account, walltime, cores, memory."""


def _class(value: Any, info: ValidationInfo) -> Any:
    """A class, or the one that ``module.Class`` names, where code is allowed."""
    if isinstance(value, type):
        return value
    if not isinstance(value, str) or "." not in value:
        raise ValueError("write module.Class")
    context = info.context or {}
    check_allowed(context)
    return load_class(value, context.get("folder"))


def _write_class(value: type) -> str:
    return f"{value.__module__}.{value.__qualname__}"


class CustomCluster(Keys):
    """A cluster by a class of Dask's form, of any package or of the user's."""

    kind: Literal["custom"]
    """A cluster by a class of any package, or of yours."""
    cluster: Annotated[
        Any,
        Field(alias="class"),
        PlainValidator(_class, json_schema_input_type=str),
        PlainSerializer(_write_class),
    ]
    """Its class, such as dask_kubernetes.operator.KubeCluster: what distributed.Client takes."""
    workers: Workers | None = None
    """Number of workers, or minimum and maximum, by its `scale` or `adapt`; null calls neither."""
    options: Options = Field(default_factory=dict)
    """Arguments of the class."""


ClusterKeys: TypeAlias = Annotated[
    LocalCluster | AddressCluster | ListenCluster | GatewayCluster | QueueCluster | CustomCluster,
    Field(discriminator="kind"),
]
