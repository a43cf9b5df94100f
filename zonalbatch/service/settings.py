"""Settings: what a service allows and how much of it, by environment variables."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from zonalbatch.job import LocalCluster
from zonalbatch.job.keys import ClusterKeys
from zonalbatch.sizes import bytes_of

__all__ = ["Settings"]


def _names(value: Any) -> Any:
    """Names separated by commas, as an environment variable has them."""
    if not isinstance(value, str):
        return value
    return tuple(name.strip() for name in value.split(",") if name.strip())


def _bytes(value: Any) -> Any:
    return bytes_of(value) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_names)]
Keys = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_names)]
Bytes = Annotated[int, BeforeValidator(_bytes)]
Folder = Annotated[Path, AfterValidator(lambda path: path.resolve(strict=True))]
NewFolder = Annotated[Path, AfterValidator(lambda path: path.resolve())]


class Settings(BaseSettings):
    """What a service allows; each by ``ZONALBATCH_SERVICE_…``, lists separated by commas.

    Raises:
        pydantic.ValidationError: a variable holds no such setting.
    """

    model_config = SettingsConfigDict(env_prefix="ZONALBATCH_SERVICE_", frozen=True)

    root: Folder | None = Field(None, description="Folder below which file:// links may lie.")
    hosts: Names = Field((), description="Hosts that may be read (*.example.org); none: any.")
    private: Names = Field((), description="Hosts and networks that may be private addresses.")
    sign: Any = Field(None, description="As `sign` of a job; none reads buckets anonymously.")
    keys: Keys = Field((), description="API keys, one of which X-API-Key has to hold; none: open.")
    rate: int = Field(600, ge=0, description="Requests a minute of a key or address; 0: any.")
    area: float = Field(1_000_000, gt=0, description="Largest area, km².")
    pixels: int = Field(100_000_000, gt=0, description="Most pixels of the box around an area.")
    vertices: int = Field(100_000, gt=3, description="Most vertices of an area.")
    seconds: float = Field(30, gt=0, description="Time limit of an answer.")
    body: Bytes = Field(8 * 1024**2, gt=0, description="Largest body of a request, bytes.")
    upload_seconds: float = Field(10, gt=0, description="Time limit of a request's body.")
    at_once: int = Field(256, gt=0, description="Questions waiting or being answered.")
    workers: int = Field(os.cpu_count() or 1, gt=0, description="Processes that measure.")
    memory: Bytes = Field(512 * 1024**2, gt=0, description="Bytes of pixels that each may buffer.")
    fresh_seconds: float = Field(60, ge=0, description="How long a worker keeps a file open.")
    features: int = Field(1_000, gt=0, description="Most features of a batch.")
    items: int = Field(50, gt=0, description="Most items of a batch.")
    jobs: NewFolder | None = Field(None, description="Folder of jobs and results; none: no jobs.")
    jobs_at_once: int = Field(1, gt=0, description="Jobs that are run; others wait.")
    jobs_waiting: int = Field(100, gt=0, description="Jobs that may wait.")
    job_memory: Bytes = Field(1536 * 1024**2, gt=0, description="Most `limits.memory` of a job.")
    cluster: ClusterKeys = Field(
        LocalCluster(kind="local", workers=2), description="As `cluster` of a job, JSON."
    )

    @model_validator(mode="after")
    def _jobs_are_hidden(self) -> Settings:
        if self.jobs and self.root and self.jobs.is_relative_to(self.root):
            raise ValueError("jobs lies below root, whose files everybody may read; move one")
        return self
