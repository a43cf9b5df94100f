"""Named: the data set that a name stands for."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path

import yaml
from pydantic import ValidationError

from zonalbatch.catalog.document import DataSet, Variable
from zonalbatch.errors import SourceError
from zonalbatch.near import hint

__all__ = ["FOLDERS", "Named", "is_file", "known", "named", "parted"]

OURS = Path(__file__).parent / "datasets"
FOLDERS = "ZONALBATCH_DATASETS"
"""Environment variable: folders of a user's own files, separated as those of PATH."""
GROUP = "zonalbatch.datasets"
"""Entry points of other packages: each names a folder of files."""


@dataclass(frozen=True, slots=True)
class Named:
    """A data set, and one of its variables."""

    provider: str
    data: DataSet
    name: str
    """Of the variable."""

    @property
    def variable(self) -> Variable:
        """What is known of it."""
        return self.data.variables[self.name]

    @property
    def told(self) -> str:
        """``provider:variable``."""
        return f"{self.provider}:{self.name}"


def named(name: str) -> Named:
    """A variable of a data set.

    Args:
        name: ``provider:variable``; the variable may be left out where there is but one. The
            provider may be the path of a file (``own.yaml:elevation``).

    Raises:
        SourceError: there is none, or its file is not valid.
    """
    provider, data, variable = parted(name)
    if variable is None and len(data.variables) > 1:
        raise SourceError(
            f"data set {provider} has several variables; say which: "
            f"{', '.join(f'{provider}:{one}' for one in data.variables)}"
        )
    return Named(provider, data, variable or next(iter(data.variables)))


def is_file(name: str) -> bool:
    """True of a path of a user's own file, with or without a variable."""
    return name.partition(".yaml")[2].partition(":")[0] == "" and ".yaml" in name


def parted(name: str) -> tuple[str, DataSet, str | None]:
    """Provider, data set and variable of a name; None where it names no variable.

    Raises:
        SourceError: there is none, or its file is not valid.
    """
    provider, colon, variable = name.rpartition(":")
    if not colon or is_file(variable):
        provider, variable = name, ""
    data = _data(provider)
    if variable and variable not in data.variables:
        raise SourceError(
            f"data set {provider} has no variable {variable!r}"
            f"{hint(variable, data.variables)}; it has {', '.join(data.variables)}"
        )
    return Path(provider).name.partition(".")[0], data, variable or None


def known() -> Mapping[str, DataSet]:
    """All data sets that have a name, in order of their names.

    Raises:
        SourceError: a file is not valid.
    """
    files = _files()
    return {name: _read(files[name]) for name in sorted(files)}


def _data(provider: str) -> DataSet:
    if is_file(provider):
        return _read(Path(provider).resolve())
    files = _files()
    if provider not in files:
        raise SourceError(
            f"there is no data set {provider!r}{hint(provider, files)}; `zonalbatch datasets` "
            "lists those that there are"
        )
    return _read(files[provider])


def _files() -> dict[str, Path]:
    """File by name; a user's come before those of other packages, and these before ours."""
    return {file.stem: file for folder in _folders() for file in sorted(folder.glob("*.yaml"))}


def _folders() -> Iterator[Path]:
    yield OURS
    for point in entry_points(group=GROUP):
        yield Path(str(point.load()))
    given = os.environ.get(FOLDERS, "")
    for folder in reversed([Path(one) for one in given.split(os.pathsep) if one]):
        if not folder.is_dir():
            raise SourceError(f"{FOLDERS} names {folder}, which is no folder; correct it")
        yield folder


def _read(file: Path) -> DataSet:
    try:
        document = yaml.safe_load(file.read_text("utf-8"))
        return DataSet.model_validate(document)
    except OSError as error:
        raise SourceError(f"{file} cannot be read ({error.strerror}); correct the path") from None
    except yaml.YAMLError as error:
        raise SourceError(f"{file} is no YAML: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise SourceError(f"{file}: {where}: {first['msg']}; correct the file") from None
