"""Tiles of elevation put together to one COG, beside GDAL's translation of a VRT of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.data import Data
from benchmarks.report import Outcome, at_most
from benchmarks.timing import Timing, apart, peak_mib

__all__ = ["mosaic"]

CORE = 0
NODATA = -32768


def mosaic(data: Data) -> Outcome:
    """10 x 10 tiles of 3600 x 3600 to one COG: ≤ 1.3 x gdal_translate on one core, ≤ 1 GiB.

    Processor time is compared: both are bound by it, and other work on the machine does not count.
    """
    tiles, repeats = data.tiles(), 1 if data.scale.name == "full" else 3
    parties: dict[str, Callable[[Sequence[Path]], tuple[float, float]]] = {
        "zonalbatch": _ours, "gdal_translate": _gdal,
    }  # fmt: skip
    seconds: dict[str, list[float]] = {name: [] for name in parties}
    memory: dict[str, float] = {}
    for _ in range(repeats):
        for name, party in parties.items():
            took, memory[name] = apart(party, tiles, core=CORE)
            seconds[name].append(took)
    times = {name: Timing(tuple(took)) for name, took in seconds.items()}
    ours, theirs = times.values()
    findings = (
        at_most(1.3, "processor time / that of gdal_translate", ours.median / theirs.median),
        at_most(1024, "memory at most, MiB", memory["zonalbatch"], "MiB"),
        at_most(None, "memory of gdal_translate, MiB", memory["gdal_translate"], "MiB"),
    )
    return Outcome(times, findings)


def _ours(tiles: Sequence[Path]) -> tuple[float, float]:
    from zonalbatch.extract.cells import Cells
    from zonalbatch.extract.frame import Frame
    from zonalbatch.extract.mosaic import Mosaic
    from zonalbatch.extract.pieces import Piece, Pieces, Says
    from zonalbatch.extract.stream import streamed
    from zonalbatch.extract.writing import write_cog
    from zonalbatch.lattice import Window
    from zonalbatch.sources import OPEN, read_headers

    began = time.process_time()
    headers = read_headers(map(str, tiles))
    grids = [headers[str(tile)].grid for tile in tiles]  # type: ignore[union-attr]
    files = tuple(
        Piece(href=str(tile), band=1, grid=grid, nodata=NODATA, masked=False)
        for tile, grid in zip(tiles, grids, strict=True)
    )
    pieces = Pieces(
        files=files, access=OPEN, dtype="int16", nodata=NODATA, items=(), says=Says()
    )  # fmt: skip
    lattice = grids[0].lattice
    windows = [grid.on(lattice).window for grid in grids]  # type: ignore[union-attr]
    tops, lefts, bottoms, rights = zip(*windows, strict=True)
    frame = Frame(lattice, Window(min(tops), min(lefts), max(bottoms), max(rights)))
    cells = Cells(Mosaic(pieces, lattice, "nearest"), frame, "nearest")
    look = {
        "tags": {}, "about": "height", "units": "m", "colours": None, "scale": 1.0, "offset": 0.0,
        "overviews": "AVERAGE",
    }  # fmt: skip
    with TemporaryDirectory(dir=tiles[0].parent) as folder:
        write_cog(Path(folder) / "ours.tif", frame, "int16", NODATA, streamed(cells), look)
    return time.process_time() - began, peak_mib()


def _gdal(tiles: Sequence[Path]) -> tuple[float, float]:
    import rasterio
    from rasterio.shutil import copy

    began = time.process_time()
    with TemporaryDirectory(dir=tiles[0].parent) as folder:
        source = Path(folder) / "tiles.vrt"
        source.write_text(_vrt(tiles))
        with rasterio.Env(GDAL_CACHEMAX=256):
            copy(
                source, Path(folder) / "theirs.tif", driver="COG", compress="DEFLATE",
                predictor="YES", blocksize=512, bigtiff="IF_SAFER", overview_resampling="AVERAGE",
            )  # fmt: skip
    return time.process_time() - began, peak_mib()


def _vrt(tiles: Sequence[Path]) -> str:
    """As gdalbuildvrt makes it: a source for each tile, whose nodata lets others through."""
    import rasterio

    sources, rights, bottoms = "", list[int](), list[int]()
    with rasterio.open(tiles[0]) as first:
        step, (left, top) = first.res[0], (first.bounds.left, first.bounds.top)
    for tile in tiles:
        with rasterio.open(tile) as file:
            col = round((file.bounds.left - left) / step)
            row = round((top - file.bounds.top) / step)
            width, height = file.width, file.height
        rights.append(col + width)
        bottoms.append(row + height)
        sources += (
            f'<ComplexSource><SourceFilename relativeToVRT="0">{tile.resolve()}</SourceFilename>'
            f'<SourceBand>1</SourceBand><SourceProperties RasterXSize="{width}" '
            f'RasterYSize="{height}" DataType="Int16" BlockXSize="512" BlockYSize="512"/>'
            f'<SrcRect xOff="0" yOff="0" xSize="{width}" ySize="{height}"/><DstRect xOff="{col}" '
            f'yOff="{row}" xSize="{width}" ySize="{height}"/><NODATA>{NODATA}</NODATA>'
            "</ComplexSource>"
        )
    return (
        f'<VRTDataset rasterXSize="{max(rights)}" rasterYSize="{max(bottoms)}"><SRS>EPSG:4326</SRS>'
        f"<GeoTransform>{left!r},{step!r},0,{top!r},0,{-step!r}</GeoTransform>"
        f'<VRTRasterBand dataType="Int16" band="1"><NoDataValue>{NODATA}</NoDataValue>'
        f"{sources}</VRTRasterBand></VRTDataset>"
    )
