"""Layers: what was measured when, and in which files it lies."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from zonalbatch.errors import PassingReadError, PermanentReadError, ReadError
from zonalbatch.lattice import Grid
from zonalbatch.masks.held import check_held
from zonalbatch.masks.legend import Legend
from zonalbatch.masks.mask import Mask

__all__ = ["Asset", "Failure", "Layer", "Layers", "Scene"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One band of one file."""

    href: str
    """Path or URL, without a signature."""
    band: int
    """1-based index of the band in the file."""
    grid: Grid
    """Where its cells lie."""
    dtype: str | None = None
    """NumPy name of the pixels' type; None until the file is opened."""
    nodata: float | int | Literal["none"] | None = None
    """Raw value that means no data; "none": no value does; None: the file is asked when opened."""
    scale: float | None = None
    """Physical = raw × scale + offset; None means the file's own tags are asked."""
    offset: float | None = None
    """See ``scale``."""
    scaled_by: str = "file"
    """Whose word scale and offset are: job, item, rule or file, with what made it so."""
    version: str | None = None
    """Checksum, ETag, or size and a digest of samples, where known without reading pixels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What was recorded at once: the files of one item, or of one name."""

    items: tuple[str, ...] = ()
    """Id of the STAC item, or the paths of the files."""
    assets: Mapping[str, Asset]
    """Assets by band name. A band of the job that this scene lacks is absent here."""
    missing: Mapping[str, str] = field(default_factory=dict)
    """Band name → why it is absent (the file is missing, its header is corrupt)."""
    footprint: bytes | None = None
    """Where its item says that pixels lie: WKB, degrees of longitude and latitude; None if it is
    known by the extent of its files alone."""
    superseded: tuple[str, ...] = ()
    """Ids of the items that it was taken instead of: others of the same acquisition."""

    def with_assets(self, assets: Iterable[Asset]) -> Scene:
        """The scene with other assets, in the order of its bands."""
        return replace(self, assets=dict(zip(self.assets, assets, strict=True)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One row of a zone: a scene, or several that are answered as one."""

    id: str
    """Unique within a job: the item id, what the file names have in common, or the day."""
    datetime: dt.datetime | None
    """UTC, timezone-aware, the earliest of its scenes; None for undated rasters."""
    datetime_end: dt.datetime | None = None
    """UTC end of a range of time; None for an instant."""
    scenes: tuple[Scene, ...]
    """In the order in which they answer: in each cell the first that has a valid value."""
    mixed: tuple[str, ...] = ()
    """Bands whose raw values mean different things in its scenes, so that only physical ones can
    be put together."""

    @property
    def assets(self) -> tuple[Asset, ...]:
        """The assets of all scenes."""
        return tuple(asset for scene in self.scenes for asset in scene.assets.values())

    @property
    def bands(self) -> tuple[str, ...]:
        """Names of the bands that any scene has, or should have."""
        every = (name for one in self.scenes for name in (*one.assets, *one.missing))
        return tuple(dict.fromkeys(every))

    @property
    def items(self) -> tuple[str, ...]:
        """Ids of the items, or paths of the files, of all scenes."""
        return tuple(item for scene in self.scenes for item in scene.items)

    @property
    def missing(self) -> Mapping[str, str]:
        """Band name → why the first scene without it lacks it."""
        every = (pair for scene in reversed(self.scenes) for pair in scene.missing.items())
        return dict(every)

    def each(self, change: Callable[[Scene], Scene]) -> Layer:
        """The layer with every scene changed."""
        return replace(self, scenes=tuple(map(change, self.scenes)))

    def each_asset(self, change: Callable[[Asset], Asset]) -> Layer:
        """The layer with every asset changed."""
        return self.each(lambda scene: scene.with_assets(map(change, scene.assets.values())))


@dataclass(frozen=True, slots=True)
class Failure:
    """One thing that could not be read, and why."""

    layer: str
    """Layer id."""
    href: str
    """The file, as `writable` has its link; empty where there is none."""
    cause: str
    """One sentence."""
    permanent: bool
    """True if trying again will not help."""

    @classmethod
    def of(cls, layer: str, href: str, error: ReadError) -> Failure:
        """The failure that an error is evidence of."""
        from zonalbatch.sources.secrets import writable  # in a package that knows layers

        return cls(layer, writable(href), str(error), isinstance(error, PermanentReadError))

    @property
    def error(self) -> ReadError:
        """The error to raise where failures are not recorded."""
        return (PermanentReadError if self.permanent else PassingReadError)(self.cause)


@dataclass(frozen=True, slots=True, eq=False)
class Layers:
    """What a source offers: its layers in order of (datetime, id), and what it could not read."""

    layers: tuple[Layer, ...]
    failures: tuple[Failure, ...] = ()
    notes: tuple[str, ...] = ()
    """Sentences for the report: what was assumed or repaired."""
    doubts: tuple[str, ...] = ()
    """Sentences for the report: what does not agree about the meaning of values."""
    legends: Mapping[str, Legend] = field(default_factory=dict)
    """Band name → what its raw values are called, where the source says it."""

    def looked_up(self, masks: Iterable[Mask]) -> tuple[Mask, ...]:
        """Masks with raw values and bits for the names in them.

        Raises:
            SourceError: the source does not say what a name means, or no cell can be so.
        """
        found = tuple(mask.looked_up(self.legends.get(mask.band, Legend())) for mask in masks)
        for mask in found:
            check_held(mask, self._dtypes(mask.band))
        return found

    def _dtypes(self, band: str) -> set[str | None]:
        """The types that a band has somewhere; None where a file has not been asked."""
        scenes = (scene for layer in self.layers for scene in layer.scenes)
        return {scene.assets[band].dtype for scene in scenes if band in scene.assets}
