"""Keys: every key of a job document, described once.

Nothing is opened: whether files exist and bands can be found is for the plan to see.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StrictBool,
    StrictStr,
    ValidationInfo,
    model_validator,
)
from pydantic.json_schema import SkipJsonSchema

from zonalbatch.job.amounts import Bytes, Most, Seconds
from zonalbatch.job.clusters import ClusterKeys, LocalCluster
from zonalbatch.job.group import Keys
from zonalbatch.job.items import StackSource, StacSource
from zonalbatch.job.masks import MaskKeys, Masks
from zonalbatch.job.reading import ReaderKeys, reader_short
from zonalbatch.job.signing import Signing, bare, bare_files
from zonalbatch.job.values import (
    ArrayData,
    BandName,
    CellSize,
    Classes,
    Count,
    Every,
    ExpressionText,
    Finite,
    Folder,
    Location,
    Nodata,
    Scaling,
    StatisticName,
    Text,
    WeightsLocation,
    ZonesLocation,
    band_short,
    bins_short,
    listed,
    source_short,
    temporal_short,
    weights_short,
    zones_short,
)
from zonalbatch.sources.access.reader import Kind
from zonalbatch.sources.protocol import Band, GroupBy

__all__ = [
    "ArraySource",
    "BandKeys",
    "BinKeys",
    "CogSource",
    "JobKeys",
    "Keys",
    "LimitKeys",
    "MaskKeys",
    "OutputKeys",
    "PickKeys",
    "StacSource",
    "StackSource",
    "TemporalKeys",
    "WeightKeys",
    "ZoneKeys",
]


class ZoneKeys(Keys):
    """What to summarise over."""

    path: ZonesLocation
    """Path or URL of the zones: GeoParquet, GeoPackage, GeoJSON, Shapefile, or a raster of labels,
    each of whose values is a zone."""
    layer: Text | None = None
    """Layer of a file that has several, such as a GeoPackage; null takes the first with rows."""
    encoding: Text | None = None
    """Encoding of the text in a Shapefile, such as cp1252; null takes what it says of itself."""
    band: Count | None = None
    """Band of a raster that holds the labels, from 1; null takes its only one."""
    id: Text | None = None
    """Column of unique ids; null numbers the rows (or takes a frame's index). Not of a raster: its
    labels are the ids."""
    columns: tuple[Text, ...] | None = None
    """Columns to carry to the result; null carries all."""
    densify: Literal["auto", "none"] = "auto"
    """auto cuts edges that would be curves where pixels lie; none projects the vertices only."""
    buffer: Finite = 0.0
    """Distance by which zones grow (or shrink, if negative), metres."""
    trusted: StrictBool = False
    """Read also files that may have other files and URLs opened, such as VRT and GML."""


_Files: TypeAlias = Annotated[tuple[Location, ...], Field(min_length=1)]


class CogSource(Keys):
    """Raster files that GDAL reads."""

    kind: Literal["cog"]
    """Raster files."""
    sign: Signing | None = None
    """What it takes to read them: planetary-computer, {kind: aws, requester_pays: true, profile:
    ..., anonymous: true, region: ...} or {kind: headers, headers: {Authorization: Bearer ${TOKEN}},
    hosts: [...]}, where ${TOKEN} is an environment variable wherever files are read."""
    trusted: StrictBool = False
    """Read also files that may have other files and URLs opened, such as VRT and HDF5."""
    files: Annotated[
        Annotated[_Files, BeforeValidator(listed, json_schema_input_type=_Files | Location)] | None,
        AfterValidator(bare_files),
    ] = None
    """A path or URL, or a list of them; each file is a layer."""
    pattern: Annotated[Location | None, AfterValidator(bare_files)] = None
    """A path with fields, such as s2/{date:%Y%m%d}_{band}.tif; those but band make the layer."""
    datetime_pattern: Text | None = None
    """Where the date stands in the names of files, such as S2_%Y%m%d."""

    @model_validator(mode="after")
    def _one_of(self) -> CogSource:
        if (self.files is None) == (self.pattern is None):
            raise ValueError("give either files or pattern")
        return self


class ArraySource(Keys):
    """An xarray object; only from Python."""

    kind: Literal["array"]
    """An xarray object."""
    data: ArrayData
    """The DataArray or Dataset."""


class BandKeys(Keys):
    """Where to find one band, and what overrides its file; text is an asset, a number an index."""

    asset: Text | None = None
    """STAC asset, the value of {band} in a pattern, or the variable of a Dataset."""
    index: Count | None = None
    """Number of the band in its file, from 1."""
    description: Text | None = None
    """The file's own description of the band."""
    part: Literal["real", "imag", "abs", "phase"] | None = None
    """What of complex pixels to take."""
    nodata: Nodata = None
    """Raw value that means no data; none ignores the file's tag, null asks it."""
    scale_offset: Scaling | None = None
    """Overrides the job's scale_offset."""

    @model_validator(mode="after")
    def _somewhere(self) -> BandKeys:
        if self.index is not None and self.description is not None:
            raise ValueError("give index or description, not both")
        if self.asset is self.index is self.description is None:
            raise ValueError("give an asset, an index or a description")
        return self

    def band(self) -> Band:
        """The band as sources read it."""
        return Band(**dict(self))


class BinKeys(Keys):
    """Bins of equal width; a number is their count."""

    count: Count | None = None
    """How many bins; null, without start and stop, makes ten."""
    start: Finite | None = None
    """Lowest edge; null, as stop, takes each zone's own least and largest value."""
    stop: Finite | None = None
    """Highest edge."""


class WeightKeys(Keys):
    """A band of a raster, in the CRS of what it weighs; a path stands for its first band."""

    path: WeightsLocation
    """Path or URL of the raster."""
    band: Annotated[
        BandKeys, BeforeValidator(band_short, json_schema_input_type=BandKeys | str | int)
    ] = BandKeys(index=1)
    """Its number, its description, or keys as those of a band."""


def _bare_weights(weights: WeightKeys, info: ValidationInfo) -> WeightKeys:
    """Weights as `bare` has them: what reads the source's files reads theirs."""
    sign = getattr(info.data.get("source"), "sign", None)
    return weights.model_copy(update={"path": bare(weights.path, sign)})


class PickKeys(Keys):
    """One row for each zone and window of time."""

    every: Every
    """The window (UTC): day, week, month, quarter, season, year, or days such as 10d, counted from
    each 1 January."""
    by: Literal["clearest"] = "clearest"
    """clearest: the row with the largest valid_fraction, of several the earliest."""


class TemporalKeys(Keys):
    """A row for each zone and period; text stands for every."""

    every: Every
    """The period (UTC): day, week, month, quarter, season, year, or days such as 10d."""
    statistics: Annotated[tuple[StatisticName, ...], Field(min_length=1)] | None = None
    """What is told of all cells of all dates of a period; null takes the job's statistics."""


class OutputKeys(Keys):
    """Where the result goes, and its form."""

    path: Folder
    """Folder of the result."""
    layout: Literal["wide", "long"] = "wide"
    """wide: a column for each measurement and statistic; long: a row for each."""
    geometry: Literal["zone", "none", "auto"] = "auto"
    """zone repeats the geometry in each row; auto leaves it out above 10,000,000 rows."""


class LimitKeys(Keys):
    """What a run may take."""

    memory: Bytes = 1536 * 1024**2
    """Peak memory of one worker process, bytes, or text such as 1.5GiB or 500MB."""
    requests_in_flight: Count = 64
    """Reads that may be under way at once, of all workers together; each has at least one."""
    outage: Seconds = 15 * 60
    """How long a run waits for a host half of whose reads fail: seconds, or text such as 15min."""
    max_failures: Most = None
    """Files that may fail to be read before the run stops: a number, or a share of all files such
    as 1%; null never stops."""


SourceKeys: TypeAlias = Annotated[
    CogSource | StacSource | StackSource | SkipJsonSchema[ArraySource],
    Field(discriminator="kind"),
    BeforeValidator(source_short),
]


class JobKeys(Keys):
    """The keys of a job, at the top level of its document."""

    version: Literal[1] = 1
    """Version of the document's form."""
    zones: Annotated[ZoneKeys, BeforeValidator(zones_short, json_schema_input_type=ZoneKeys | str)]
    """What to summarise over."""
    source: SourceKeys
    """Where pixels come from."""
    bands: Annotated[
        dict[
            BandName,
            Annotated[
                BandKeys,
                BeforeValidator(band_short, json_schema_input_type=BandKeys | str | int),
            ],
        ],
        Field(min_length=1),
    ]
    """Bands by the name that expressions use: an asset, an index, or keys."""
    measurements: dict[Text, ExpressionText] | None = None
    """Output variables by name, each an expression of bands; null measures each band but the
    mask's."""
    mask: Masks | None = None
    """Which cells to leave out: a mask, or a list of them, of which any masks a cell."""
    min_clear: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Least share of a zone's cells with data that must not be masked; rows with less have no
    statistics but clear_fraction, and status filtered."""
    pick: PickKeys | None = None
    """Which rows the folder picked holds, beside the results: one for each zone and window of time;
    null makes none."""
    statistics: Annotated[tuple[StatisticName, ...], Field(min_length=1)] = ("count", "mean")
    """Names of statistics; module:function, where code is allowed, is called with the values and
    fractions of each zone."""
    sketch: StrictBool = False
    """Keep beside each row the states behind its numbers, so that rows can be rolled up."""
    classes: Classes | None = None
    """Values, or a name for each value: frac, unique, class_count and class_area become a column
    for each class; null makes lists of the classes that occur."""
    edges: Annotated[tuple[Finite, ...], Field(min_length=2)] | None = None
    """Rising edges of bins, in physical units: histogram becomes a column for each bin."""
    bins: (
        Annotated[BinKeys, BeforeValidator(bins_short, json_schema_input_type=BinKeys | int)] | None
    ) = None
    """Bins of the list that histogram is without edges; null makes ten of each zone's own."""
    coverage: Literal["fraction", "center", "all_touched"] = "fraction"
    """How a zone takes its cells: by exact share, by their centre, or all that it touches."""
    interpolate: Literal["nearest", "bilinear"] | None = None
    """Gives the value at points, the only zones then: of the cell that each lies in, or between the
    four around it. Statistics are [value] by default then."""
    min_fraction: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Share of a cell below which an area leaves it out; not for center."""
    default_value: Finite | None = None
    """Physical value of cells that are nodata, NaN or masked by their file; null leaves them so."""
    weights: (
        Annotated[
            WeightKeys,
            BeforeValidator(weights_short, json_schema_input_type=WeightKeys | str),
            AfterValidator(_bare_weights),
        ]
        | None
    ) = None
    """The raster whose values weigh cells in weighted_mean and its kin."""
    weight_by: Literal["fraction", "area"] = "fraction"
    """area has averages weigh cells of a grid in degrees by their area on the ground."""
    quantile_method: Literal["linear", "inverted_cdf"] = "linear"
    """linear interpolates between values; inverted_cdf gives the least value up to which the shares
    come to the quantile."""
    scale_offset: Scaling = "auto"
    """Whose scale and offset to apply: auto (item, else file), item, file, none, or numbers."""
    group_by: GroupBy | None = None
    """What makes a layer: each item by itself, all of one datetime, or all of one solar_day; null
    takes solar_day for STAC items, else item."""
    resolution: CellSize | None = None
    """Metres, or approx: read the coarsest overviews that are no coarser; null reads all pixels."""
    temporal: (
        Annotated[
            TemporalKeys,
            BeforeValidator(temporal_short, json_schema_input_type=TemporalKeys | str),
        ]
        | None
    ) = None
    """Reductions over time, in the folder temporal beside the results; null makes none."""
    output: OutputKeys
    """Where the result goes, and its form."""
    prefix: StrictStr | None = None
    """Text before the names of result columns."""
    cluster: ClusterKeys = LocalCluster(kind="local")
    """Where workers come from."""
    limits: LimitKeys = LimitKeys()
    """What a run may take."""
    reader: Annotated[
        ReaderKeys | None,
        BeforeValidator(reader_short, json_schema_input_type=ReaderKeys | Kind | None),
    ] = None
    """How remote files are read: auto, rioxarray or async, or keys."""
    on_failure: Literal["record", "raise"] = "record"
    """What cannot be read: record it and go on, or stop."""
