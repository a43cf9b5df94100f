"""A run as a document: a checked `Job` from YAML, JSON or Python, and back."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from pydantic import ValidationError, ValidationInfo, model_validator

from zonalbatch.arguments import breakdown_given
from zonalbatch.breakdown import Breakdown
from zonalbatch.catalog.expanded import expanded
from zonalbatch.catalog.offered import is_data_set
from zonalbatch.errors import ExpressionError, InputError, JobError, SourceError
from zonalbatch.expression import Expression, check, parse
from zonalbatch.job.code import place_of
from zonalbatch.job.items import DataSetSource, ItemSource, StackSource
from zonalbatch.job.keys import ArraySource, JobKeys
from zonalbatch.job.problems import message, repeated
from zonalbatch.job.text import read_document, read_text, write_document
from zonalbatch.masks.mask import Mask
from zonalbatch.near import hint
from zonalbatch.picks.pick import SEEN, Pick
from zonalbatch.sources.protocol import Band, GroupBy
from zonalbatch.sources.secrets import writable

__all__ = ["Job"]


class Job(JobKeys):
    """A checked run: zones, source, measurements, statistics, output. Frozen.

    Raises:
        JobError: the document is not valid; one line for each problem names the key, the
            value seen and what to do.
    """

    _name: ClassVar[str] = "job"

    def __init__(self, /, **document: Any) -> None:
        self._fill(document, self._name, None)

    @model_validator(mode="before")
    @classmethod
    def _of_files(cls, document: Any, info: ValidationInfo) -> Any:
        if not isinstance(document, Mapping) or not is_data_set(document.get("source")):
            return document
        try:
            return expanded(document, (info.context or {}).get("folder"))
        except SourceError as error:
            raise ValueError(str(error)) from None

    @model_validator(mode="before")
    @classmethod
    def _value_by_default(cls, document: Any) -> Any:
        asks = isinstance(document, Mapping) and document.get("interpolate") is not None
        return {"statistics": ["value"]} | dict(document) if asks else document

    @model_validator(mode="after")
    def _names_agree(self) -> Job:
        problems = [*self._unknown_bands(), *repeated("statistics", self.statistics)]
        if self.temporal is not None:
            problems += repeated("temporal.statistics", self.temporal.statistics or ())
        problems += self._no_points()
        problems += self._no_pick()
        if self.resolution is not None and isinstance(self.source, ArraySource):
            problems.append("resolution reads overviews of files; an array has none")
        if self.resolution is not None and isinstance(self.source, StackSource):
            problems.append("resolution reads overviews, which a stack has none of: its cells are "
                            "as large as source.resolution says")  # fmt: skip
        keeping = "sketch" if self.sketch else "temporal" if self.temporal else ""
        if keeping and self.weight_by != "fraction":
            problems.append(
                f"{keeping} keeps states of plain shares of cells, from which averages by area "
                f"cannot be told; leave {keeping} or weight_by out"
            )
        try:
            self.breakdown()
        except InputError as error:
            problems.append(str(error))
        if self.min_fraction and self.coverage == "center":
            problems.append("min_fraction has no meaning with coverage center, which asks for no "
                            "shares; use fraction or all_touched")  # fmt: skip
        if problems:
            raise ValueError("\n".join(problems))
        return self

    @classmethod
    def from_file(cls, path: str | os.PathLike[str], *, allow_code: bool = False) -> Job:
        """The job in a YAML or JSON file; its relative paths are relative to the file's folder.

        Args:
            path: the file.
            allow_code: True imports the functions that its statistics name as ``module:function``.

        Raises:
            JobError: the file cannot be read, or is not a valid job.
        """
        file = Path(path)
        text = read_text(file)
        document = read_document(text, str(file), as_json=file.suffix.lower() == ".json")
        return cls._made(document, str(file), str(file.absolute().parent), allow_code)

    @classmethod
    def from_yaml(cls, text: str, folder: str | os.PathLike[str] | None = None) -> Job:
        """The job in a YAML (or JSON) text, relative paths taken from ``folder`` if it is given.

        Raises:
            JobError: the text is not a valid job.
        """
        document = read_document(text, cls._name, as_json=False)
        return cls._made(document, cls._name, None if folder is None else os.path.abspath(folder))

    @classmethod
    def schema_json(cls) -> dict[str, Any]:  # type: ignore[override]
        """The JSON Schema (draft 2020-12) of the document, every key described."""
        schema = _with_data_sets(cls.model_json_schema(mode="validation"))
        head = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
        return head | schema | {"title": "zonalbatch job", "description": "A run as a document."}

    def to_yaml(self) -> str:
        """The document, defaults written out; reading it gives an equal job.

        Raises:
            JobError: zones or source are objects in memory.
        """
        return write_document(self._document)

    @property
    def told(self) -> str:
        """As `to_yaml`, but links without secrets: as it may lie beside a result.

        Raises:
            JobError: zones or source are objects in memory.
        """
        return write_document(_without_secrets(self._document))

    def _repr_html_(self) -> str:
        from zonalbatch.notebook.jobs import job_html

        return job_html(self)

    @property
    def _document(self) -> dict[str, Any]:
        if self.in_memory:
            raise JobError(
                f"the job's {' and '.join(self.in_memory)} are in memory; "
                "write them to files to have a job document"
            )
        return self.model_dump(mode="json", exclude_none=True, by_alias=True)

    @property
    def in_memory(self) -> tuple[str, ...]:
        """Which of zones, source, weights and statistics are objects that only Python holds."""
        zones = not isinstance(self.zones.path, str)
        source = isinstance(self.source, ArraySource) or (
            isinstance(self.source, ItemSource) and self.source.in_memory
        )
        weights = self.weights is not None and not isinstance(self.weights.path, str)
        code = any(callable(s) and place_of(s) is None for s in self.statistics)
        held = {"zones": zones, "source": source, "weights": weights, "statistics": code}
        return tuple(name for name, is_object in held.items() if is_object)

    def bands_to_read(self) -> dict[str, Band]:
        """Bands by name, in the document's order, that a measurement or the mask needs."""
        needed = {name for expression in self.expressions().values() for name in expression.names}
        needed |= {mask.band for mask in self.masks()}
        return {name: keys.band() for name, keys in self.bands.items() if name in needed}

    def expressions(self) -> dict[str, Expression]:
        """Measurements by name; without ``measurements``, each band by itself but the mask's."""
        if self.measurements is not None:
            return {name: parse(text) for name, text in self.measurements.items()}
        return {name: parse(name) for name in self.bands if not self._only_mask(name)}

    def masks(self) -> tuple[Mask, ...]:
        """The masks; names of classes and bits are not looked up yet."""
        several = self.mask if isinstance(self.mask, tuple) else (self.mask,)
        return tuple(one.mask() for one in several if one is not None)

    def grouping(self) -> GroupBy:
        """What makes a layer."""
        return self.group_by or ("solar_day" if isinstance(self.source, ItemSource) else "item")

    def breakdown(self) -> Breakdown:
        """What statistics by class or bin are told by."""
        bins = None if self.bins is None else dict(self.bins)
        return breakdown_given(self.classes, self.edges, bins)

    def _only_mask(self, name: str) -> bool:
        return name in {mask.band for mask in self.masks()}

    def picks(self) -> Pick | None:
        """Which rows are picked; None if none are."""
        return None if self.pick is None else Pick(self.pick.every)

    def _no_pick(self) -> Iterable[str]:
        """What lacks beside ``pick``."""
        if self.pick is not None and SEEN not in self.statistics:
            yield f"pick by clearest needs {SEEN!r}; add it to statistics"
        if self.pick is not None and self.output.layout == "long":
            yield "pick takes whole rows; use output.layout: wide, or leave pick out"

    def _no_points(self) -> Iterable[str]:
        """What makes no sense beside ``interpolate``."""
        if self.interpolate is not None and self.coverage != "fraction":
            yield "interpolate says which cells points take; leave coverage out"
        if self.interpolate is not None and self.zones.buffer:
            yield "interpolate is of points, which zones.buffer makes areas; leave one of them out"

    def _unknown_bands(self) -> Iterable[str]:
        for name, expression in self.expressions().items():
            try:
                check(expression, self.bands)
            except ExpressionError as error:
                yield f"measurements.{name}: {error}"
        for mask in self.masks():
            if mask.band not in self.bands:
                yield f"mask.band {mask.band!r} is not a band{hint(mask.band, self.bands)}"
        if not self.expressions():
            yield "there is nothing to measure: give a band beside the mask's, or measurements"

    @classmethod
    def _made(cls, document: Any, name: str, folder: str | None, allow_code: bool = False) -> Job:
        job = cls.__new__(cls)
        job._fill(document, name, folder, allow_code)
        return job

    def _fill(self, document: Any, name: str, folder: str | None, allow_code: bool = False) -> None:
        """Validate into this instance, as pydantic's own ``__init__`` does, with our errors."""
        validator = self.__pydantic_validator__
        context = {"folder": folder, "allow_code": allow_code}
        try:
            validator.validate_python(document, self_instance=self, context=context)
        except ValidationError as error:
            raise JobError(message(error, name)) from None


def _with_data_sets(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema that knows data sets, their bands and their masks by name."""
    keys = schema["properties"]
    source, link = keys["source"], "#/$defs/DataSetSource"
    schema["$defs"]["DataSetSource"] = DataSetSource.model_json_schema(mode="validation")
    source["oneOf"].append({"$ref": link})
    source["discriminator"]["mapping"]["dataset"] = link
    keys["mask"]["anyOf"].append({"type": "string", "description": "A mask of the data set."})
    of_data_set = {"properties": {"source": {"properties": {"kind": {"const": "dataset"}}}}}
    schema["required"].remove("bands")
    return schema | {"if": of_data_set, "else": {"required": ["bands"]}}


def _without_secrets(value: Any) -> Any:
    """Values of a document with their links as they may be written."""
    if isinstance(value, dict):
        return {key: _without_secrets(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_without_secrets(one) for one in value]
    return writable(value) if isinstance(value, str) and "://" in value else value
