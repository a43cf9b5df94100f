"""Settings: what a service allows and how much of it, by environment variables."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from zonalbatch.errors import InputError
from zonalbatch.job import LocalCluster
from zonalbatch.job.keys import ClusterKeys
from zonalbatch.near import hint
from zonalbatch.service.egress.patterns import Pattern
from zonalbatch.sizes import bytes_of
from zonalbatch.sources.access import access_given

__all__ = ["Settings", "settings_here"]

PREFIX = "ZONALBATCH_SERVICE_"


def _names(value: Any) -> Any:
    """Names separated by commas, as an environment variable has them."""
    if not isinstance(value, str):
        return value
    names = tuple(name.strip() for name in value.split(",") if name.strip())
    if not names:
        # None of them would open what was meant to be closed.
        raise ValueError("it is empty; name some, or do not set it")
    return names


def _bytes(value: Any) -> Any:
    return bytes_of(value) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_names)]
Keys = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_names)]
Bytes = Annotated[int, BeforeValidator(_bytes)]


def _folder(path: Path) -> Path:
    if not path.is_dir():
        raise ValueError(f"{path} is no folder")
    return path.resolve()


def _json(value: Any) -> Any:
    """A document as an environment variable has it, or the name of a kind."""
    return json.loads(value) if isinstance(value, str) and value.startswith("{") else value


Folder = Annotated[Path, AfterValidator(_folder)]
Document = Annotated[Any, NoDecode, BeforeValidator(_json)]
NewFolder = Annotated[Path, AfterValidator(lambda path: path.resolve())]


class Settings(BaseSettings):
    """What a service allows; each by ``ZONALBATCH_SERVICE_…``, lists separated by commas.

    Raises:
        pydantic.ValidationError: a variable holds no such setting.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, use_attribute_docstrings=True)

    root: Folder | None = None
    """Folder below which file:// links may lie."""
    hosts: Names = ()
    """Hosts that may be read (*.example.org); none: any."""
    private: Names = ()
    """Hosts and networks that may be private addresses."""
    sign: Document = None
    """As `sign` of a job; none reads buckets anonymously."""
    keys: Keys = ()
    """API keys, one of which X-API-Key has to hold; none: open."""
    rate: Annotated[int, Field(ge=0)] = 600
    """Requests a minute of a key or address; 0: any."""
    area: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1_000_000
    """Largest area, km²."""
    pixels: Annotated[int, Field(gt=0)] = 100_000_000
    """Most pixels of the box around an area."""
    vertices: Annotated[int, Field(gt=3)] = 100_000
    """Most vertices of an area."""
    seconds: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 30
    """Time limit of an answer."""
    body: Annotated[Bytes, Field(gt=0)] = 8 * 1024**2
    """Largest body of a request, bytes."""
    upload_seconds: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 10
    """Time limit of a request's body."""
    at_once: Annotated[int, Field(gt=0)] = 256
    """Questions waiting or being answered."""
    workers: Annotated[int, Field(gt=0)] = os.cpu_count() or 1
    """Processes that measure."""
    memory: Annotated[Bytes, Field(gt=0)] = 512 * 1024**2
    """Bytes of pixels that each may buffer."""
    fresh_seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 60
    """How long a worker keeps a file open."""
    rows: Annotated[int, Field(gt=0)] = 5_000_000
    """Most features in the row groups about an area."""
    table: Annotated[Bytes, Field(gt=0)] = 256 * 1024**2
    """Most bytes of these row groups, as they lie in the file."""
    features: Annotated[int, Field(gt=0)] = 1_000
    """Most features of a batch."""
    items: Annotated[int, Field(gt=0)] = 50
    """Most items of a batch."""
    jobs: NewFolder | None = None
    """Folder of jobs and their results, not below root; none: no jobs."""
    jobs_at_once: Annotated[int, Field(gt=0)] = 1
    """Jobs that are run; others wait."""
    jobs_waiting: Annotated[int, Field(gt=0)] = 100
    """Jobs that may wait."""
    job_memory: Annotated[Bytes, Field(gt=0)] = 1536 * 1024**2
    """Most that `limits.memory` of a job may be, bytes."""
    cluster: ClusterKeys = LocalCluster(kind="local", workers=2)
    """Where jobs are run, as `cluster` of a job, JSON."""

    @field_validator("hosts", "private")
    @classmethod
    def _are_patterns(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        try:
            for name in names:
                Pattern.of(name)
        except InputError as error:
            raise ValueError(str(error)) from None
        return names

    @field_validator("sign")
    @classmethod
    def _signs(cls, sign: Any) -> Any:
        try:
            access_given(sign)
        except InputError as error:
            raise ValueError(str(error)) from None
        return sign

    @model_validator(mode="after")
    def _jobs_are_hidden(self) -> Settings:
        if self.jobs and self.root and self.jobs.is_relative_to(self.root):
            raise ValueError("jobs lies below root, whose files everybody may read; move one")
        return self


def settings_here() -> Settings:
    """The settings of the environment.

    Raises:
        InputError: a variable holds no such setting, or there is none of its name.
    """
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    given = {name.upper() for name in os.environ if name.upper().startswith(PREFIX)}
    for name in sorted(given - known):
        raise InputError(f"{name} is no setting of the service{hint(name, known)}")
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        where = "".join(f"{PREFIX}{str(key).upper()}: " for key in first["loc"][:1])
        told = first["msg"].removeprefix("Value error, ")
        raise InputError(f"{where}{told}; correct the variable") from None
