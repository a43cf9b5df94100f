"""Document: what the file of a data set says, checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

__all__ = ["DataSet", "License", "StacPlace", "Variable", "WcsPlace"]

Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class _Place(_Closed):
    seconds: float = Field(120, gt=0, allow_inf_nan=False)
    """Within which the provider has to say what there is, before anything is read."""


class StacPlace(_Place):
    """Files that a STAC API tells of."""

    kind: Literal["stac"]
    api: Text
    """URL of its landing page, or a name that ``search`` knows."""
    collections: tuple[Text, ...]
    datetime: Text | None = None
    """Of items, where a collection holds several editions."""
    query: dict[Text, Any] | None = None
    """Of properties of items."""
    sign: Any = None
    """As of a job; what the API wants is known of the well-known ones."""
    trusted: bool = False
    """True lets items name files of this machine, as of a job."""


class WcsPlace(_Place):
    """A coverage of a WCS."""

    kind: Literal["wcs"]
    url: Text
    version: Literal["1.0.0", "2.0.1"] = "2.0.1"
    user: Text | None = None
    """Environment variable that holds the user's name."""
    password: Text | None = None
    """Environment variable that holds the password."""
    register_at: Text | None = None
    """Where one gets them."""


class Variable(_Closed):
    """One band of a data set."""

    about: Text
    type: Literal["continuous", "categorical", "bits"] = "continuous"
    units: Text | None = None
    """None where numbers have none."""
    nodata: float | int | None = None
    """Raw value of cells without data; gaps between files are filled with it."""
    resolution: Text
    """Of a cell, as its provider states it."""
    asset: Text | None = None
    """Key of the STAC asset; of a WCS, the coverage's id."""
    band: int = Field(1, ge=1)
    """1-based, in the asset's file."""
    scale: float | None = None
    """Physical = raw × scale + offset; None asks item and file."""
    offset: float | None = None
    """See ``scale``."""
    classes: dict[int, Text] = {}
    """Names of the values of a categorical one."""

    @model_validator(mode="after")
    def _agrees(self) -> Variable:
        if (self.type == "categorical") != bool(self.classes):
            raise ValueError("classes belong to type categorical, and to no other")
        if (self.scale is None) != (self.offset is None):
            raise ValueError("scale and offset go together; give both or none")
        return self


class License(_Closed):
    """On what terms data may be used."""

    name: Text
    text: Text
    """What a user has to know, in some sentences."""
    url: Text


class DataSet(_Closed):
    """A data set: where it lies, what it holds, on what terms."""

    title: Text
    about: Text
    place: StacPlace | WcsPlace = Field(discriminator="kind")
    changes: bool = False
    """True if it is measured again and again; False if all files make one picture."""
    variables: Mapping[Name, Variable] = Field(min_length=1)
    masks: Mapping[Name, Any] = {}
    """By name, as ``mask`` of a job, over names of variables."""
    license: License
    citation: Text
