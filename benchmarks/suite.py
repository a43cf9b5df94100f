"""The benchmarks. Each one's docstring is its target; each runs in a process of its own."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import geopandas as gpd
from numpy.typing import NDArray

from benchmarks import ours, peers
from benchmarks.data import Data
from benchmarks.mosaic import mosaic
from benchmarks.planning import planning
from benchmarks.remote import remote_blocks, remote_headers, remote_job
from benchmarks.report import Finding, Outcome, at_least, at_most
from benchmarks.service import service
from benchmarks.timing import Timing, alternate, apart, peak_mib

__all__ = ["BENCHMARKS", "Benchmark"]

RASTERSTATS_SHARE = 50
"""rasterstats does one zone in this many; its time is proportional to the zones."""

EXTRACTRS_FIVE = ("count", "mean", "min", "max", "stdev")


def one_raster(data: Data) -> Outcome:
    """1 raster ≥ 5.5 x exactextract; each net of its decoding ≥ 12 x; ≥ 80 x rasterstats."""
    paths, zones = data.scenes(1), gpd.read_parquet(data.fields())
    times = alternate(
        {
            "decoding alone": partial(peers.decode, paths),
            "decoding alone, our way": partial(ours.decode, paths),
            "zonalbatch": partial(ours.zonal_stats, zones, paths),
            "zonalbatch with quantiles": partial(ours.zonal_stats, zones, paths, ours.EIGHT),
            "exactextract": partial(peers.exactextract_stats, zones, paths),
            "rasterstats": partial(
                peers.rasterstats_stats, zones.iloc[::RASTERSTATS_SHARE], paths[0]
            ),
        },
        repeats=5,
        factors={"rasterstats": RASTERSTATS_SHARE},
    )
    decoding, decoded, us, quantiles, exact, stats = (t.median for t in times.values())
    findings = (
        at_least(5.5, "exactextract / zonalbatch", exact / us),
        at_least(12, "the same, each net of its decoding", (exact - decoding) / (us - decoded)),
        at_least(None, "decoding alone / our way", decoding / decoded),
        at_least(80, "rasterstats / zonalbatch", stats / us),
        at_most(1.6, "with median, p10, p90 / without", quantiles / us),
    )
    return Outcome(times, findings, (_extrapolated(), _agreement(zones, paths)))


def many_rasters(data: Data) -> Outcome:
    """24 rasters ≥ 2.2 x exactextract, ≤ 1.25 x decoding alone (one core)."""
    paths, zones = data.scenes(), gpd.read_parquet(data.fields())
    times = alternate(
        {
            "decoding alone": partial(peers.decode, paths),
            "decoding alone, our way": partial(ours.decode, paths),
            "zonalbatch": partial(ours.zonal_stats, zones, paths),
            "exactextract": partial(peers.exactextract_stats, zones, paths),
        },
        repeats=3,
    )
    decoding, decoded, us, exact = (t.median for t in times.values())
    findings = (
        at_least(2.2, "exactextract / zonalbatch", exact / us),
        at_most(1.25, "zonalbatch / decoding alone", us / decoding),
        at_most(None, "zonalbatch / decoding alone, our way", us / decoded),
    )
    return Outcome(times, findings)


def of_values(data: Data) -> Outcome:
    """mode, variety, median and frac together ≤ 2 x the run with mean only (one core)."""
    zones = gpd.read_parquet(data.fields())
    kinds = {
        "scene": data.scenes(1), "land cover": [data.classified()], "noise": [data.noise()],
    }  # fmt: skip
    asked = {"mean only": ("mean",), "the four": ours.OF_VALUES}
    times = alternate(
        {
            f"{kind}: {what}": partial(ours.zonal_stats, zones, paths, names)
            for kind, paths in kinds.items()
            for what, names in asked.items()
        },
        repeats=5,
    )
    seconds = [t.median for t in times.values()]
    scene, cover, noise = (b / a for a, b in zip(seconds[::2], seconds[1::2], strict=True))
    findings = (
        at_most(2, "scene of the other benchmarks: the four / mean", scene),
        at_most(2, "land cover of 12 classes", cover),
        at_most(None, "uint16 noise", noise),
    )
    note = "Noise is the worst case: each zone has nearly as many classes as cells."
    return Outcome(times, findings, (note,))


def other_interfaces(data: Data) -> Outcome:
    """Their calls over this engine, 1,000 fields: file ≥ 10 x rasterstats, array ≥ 20 x."""
    path, zones = data.scenes(1)[0], gpd.read_parquet(data.fields(1_000))
    image, affine = peers.image_of(path)
    times = alternate(
        {
            "rasterstats, file": partial(peers.rasterstats_stats, zones, path),
            "compat.rasterstats, file": partial(ours.as_rasterstats, zones, path),
            "exactextract, file": partial(peers.exactextract_stats, zones, [path]),
            "compat.exactextract, file": partial(ours.as_exactextract, zones, [path]),
        },
        repeats=5,
    )
    times |= alternate(  # so short that neighbours on the machine are most of some repetitions
        {
            "rasterstats, array": partial(peers.rasterstats_stats, zones, image, affine),
            "compat.rasterstats, array": partial(ours.as_rasterstats, zones, image, affine),
        },
        repeats=15,
    )
    t = {name: timing.median for name, timing in times.items()}
    findings = (
        at_least(
            10, "rasterstats / ours, file",
            t["rasterstats, file"] / t["compat.rasterstats, file"],
        ),
        at_least(
            20, "rasterstats / ours, array",
            t["rasterstats, array"] / t["compat.rasterstats, array"],
        ),
        at_least(
            None, "exactextract / ours, file",
            t["exactextract, file"] / t["compat.exactextract, file"],
        ),
    )  # fmt: skip
    return Outcome(times, findings)


def kernels_on_fields(data: Data) -> Outcome:
    """Kernels on 10,000 fields ≥ 10 x extractrs for coverage and for five statistics (one core)."""
    shapes = gpd.read_parquet(data.fields()).geometry.to_numpy()
    return _kernels(shapes, _read(data.scenes(1)[0]), data.bounds)


def kernels_on_basins(data: Data) -> Outcome:
    """Kernels on 100,000 basins that tile 8000 x 8000 float32 ≥ 10 x extractrs (one core)."""
    return _kernels(data.basins(), data.basin_grid(), data.basin_bounds)


def two_workers(data: Data) -> Outcome:
    """2 workers, each with its own core, ≥ 1.7 x one; processor time ≤ 1.1 x; 5 pairs."""
    zones, scenes = data.fields(), data.scenes()[0].parent
    with ours.cluster(1) as one, ours.cluster(2) as two:
        # The first run of each cluster compiles or loads the kernels in its workers.
        pairs = [
            [ours.run(client, zones, scenes, data.folder / "out") for client in (one, two)]
            for _ in range(6)
        ][1:]
    times = {
        f"{n} worker{'s' * (n - 1)}": Timing(tuple(pair[n - 1].wall for pair in pairs))
        for n in (1, 2)
    }
    faster = statistics.median(a.wall / b.wall for a, b in pairs)
    dearer = statistics.median(b.cpu / a.cpu for a, b in pairs)
    findings = (
        at_least(1.7, "1 worker / 2 workers, time", faster),
        at_most(1.1, "2 workers / 1 worker, processor time", dearer),
    )
    return Outcome(times, findings, ("Figures are medians of the ratios of alternating pairs.",))


def growth(data: Data) -> Outcome:
    """Cost grows straight: 1,000 → 10,000 → 100,000 zones; 1 → 24 dates (one core)."""
    paths, counts = data.scenes(), data.scale.growth
    dates = (1, max(2, len(paths) // 4), len(paths))
    by_zones = {n: gpd.read_parquet(data.fields(n)) for n in counts}
    fields = gpd.read_parquet(data.fields())
    # The first two sizes differ by little beside the decoding of a raster: it takes more rounds.
    times = alternate(
        {f"zones: {n:,}": partial(ours.zonal_stats, z, paths[:1]) for n, z in by_zones.items()},
        repeats=11,
        clock=time.process_time,
    ) | alternate(
        {f"dates: {n}": partial(ours.zonal_stats, fields, paths[:n]) for n in dates},
        repeats=3,
        clock=time.process_time,
    )
    seconds = [t.median for t in times.values()]
    findings = (
        at_most(1.25, "cost of one more zone, late / early", _bend(counts, seconds[:3])),
        at_most(None, "one more zone, early", 1e6 * _slope(counts, seconds)[0], "µs"),
        at_most(None, "one more zone, late", 1e6 * _slope(counts, seconds)[1], "µs"),
        at_most(1.25, "cost of one more date, late / early", _bend(dates, seconds[3:])),
    )
    notes = (
        "1 means a straight line through the three sizes; the fixed cost drops out.",
        "Times are processor seconds: on a core that others use too, the small difference between "
        "the first two sizes would drown in waiting.",
        "Fields of all sizes cover about as many cells each, and all blocks are decoded for any; "
        "100,000 of them overlap (1.5 fields to a cell).",
    )
    return Outcome(times, findings, notes)


def memory(data: Data) -> Outcome:
    """Worker < 1.5 GiB for 100,000 zones x 24 rasters; huge zone < 1 GiB; client + ≤ 100 MB."""
    zones, scenes, count = data.fields(data.scale.growth[-1]), data.scenes(), data.scale.scenes
    giant, raster = data.giant()
    few, many = data.dates(count), data.dates(10 * count)
    small = data.fields(data.scale.growth[0])
    peak = partial(apart, _peaks)
    worker, _ = peak(zones, scenes[0].parent, data.folder / "out")
    huge, _ = peak(giant, _only(raster), data.folder / "out")
    clients = [peak(small, folder, data.folder / "out")[1] for folder in (few, many)]
    findings = (
        at_most(1536, "worker's peak, most zones on all rasters", worker, "MiB"),
        at_most(1024, "worker's peak, one zone over a whole raster", huge, "MiB"),
        at_most(95.4, "client's growth for ten times the layers", clients[1] - clients[0], "MiB"),
    )
    return Outcome({}, findings, ("Peaks are the resident high-water marks of processes.",))


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One benchmark, and how it is run."""

    measure: Callable[[Data], Outcome]
    """Its docstring is the target."""
    pinned: bool = True
    """True: on one core. False: it starts workers of its own."""

    @property
    def goal(self) -> str:
        """The target."""
        return (self.measure.__doc__ or "").strip()

    def run(self, data: Data) -> Outcome:
        """Measure in a process of its own."""
        return apart(self.measure, data, core=0 if self.pinned else None)


BENCHMARKS = {
    "one_raster": Benchmark(one_raster),
    "many_rasters": Benchmark(many_rasters),
    "of_values": Benchmark(of_values),
    "other_interfaces": Benchmark(other_interfaces),
    "kernels_on_fields": Benchmark(kernels_on_fields),
    "kernels_on_basins": Benchmark(kernels_on_basins),
    "two_workers": Benchmark(two_workers, pinned=False),
    "growth": Benchmark(growth),
    "memory": Benchmark(memory, pinned=False),
    "planning": Benchmark(planning),
    "remote_blocks": Benchmark(remote_blocks, pinned=False),
    "remote_headers": Benchmark(remote_headers, pinned=False),
    "remote_job": Benchmark(remote_job, pinned=False),
    "service": Benchmark(service, pinned=False),
    "mosaic": Benchmark(mosaic, pinned=False),
}


def _kernels(
    shapes: NDArray[Any], image: NDArray[Any], bounds: tuple[float, float, float, float]
) -> Outcome:
    """Our kernels against those of extractrs, everything in memory beforehand."""
    wkb, floats = peers.wkb_of(shapes), peers.float64_of(image)
    theirs = peers.extractrs_cover(wkb, bounds)
    rings = ours.rings(wkb)
    cover = ours.coverage(rings, bounds, image.shape[:2])
    parties: dict[str, Callable[[], object]] = {
        "extractrs coverage": partial(peers.extractrs_cover, wkb, bounds),
        "extractrs mean": partial(peers.extractrs_stats, theirs, floats, ("mean",)),
        "extractrs five statistics": partial(peers.extractrs_stats, theirs, floats, EXTRACTRS_FIVE),
        "conversion to float64 for extractrs": partial(peers.float64_of, image),
        "zonalbatch rings from WKB": partial(ours.rings, wkb),
        "zonalbatch coverage": partial(ours.coverage, rings, bounds, image.shape[:2]),
        "zonalbatch five statistics": partial(ours.reduction, cover, image, bounds, ours.FIVE),
        "zonalbatch eight statistics": partial(ours.reduction, cover, image, bounds, ours.EIGHT),
    }
    times = alternate(parties, repeats=5)
    notes = (
        "The conversion to float64 counts against nobody.",
        "extractrs reads WKB within its coverage; ours from WKB is the second ratio.",
    )
    return Outcome(times, _kernel_findings(times), notes)


def _kernel_findings(times: dict[str, Timing]) -> tuple[Finding, ...]:
    """Ratios of the kernels."""
    t = {name: timing.median for name, timing in times.items()}
    cover, five = t["zonalbatch coverage"], t["zonalbatch five statistics"]
    eight, wkb = t["zonalbatch eight statistics"], t["zonalbatch rings from WKB"]
    theirs = t["extractrs coverage"]
    return (
        at_least(10, "coverage, extractrs / zonalbatch", theirs / cover),
        at_least(None, "coverage with our reading of WKB", theirs / (wkb + cover)),
        at_least(10, "five statistics", t["extractrs five statistics"] / five),
        at_most(1.6, "coverage and eight / and five", (cover + eight) / (cover + five)),
        at_most(None, "eight statistics / five, without coverage", eight / five),
    )


def _peaks(zones: Path, scenes: Path, out: Path) -> tuple[float, float]:
    """Peak memory of the one worker and of the client over a run, MiB."""
    with ours.cluster(1) as client:
        ours.run(client, zones, scenes, out)
        return max(client.run(peak_mib).values()), peak_mib()


def _only(raster: Path) -> Path:
    """A folder that holds one raster under a scene's name."""
    folder = raster.with_suffix("")
    folder.mkdir(exist_ok=True)
    link = folder / "S2_20200101_B08.tif"
    if not link.exists():
        link.symlink_to(raster.resolve())
    return folder


def _read(path: Path) -> NDArray[Any]:
    """The whole image of a file."""
    with peers.rasterio.open(path) as file:
        return file.read(1)


def _bend(sizes: Sequence[int], seconds: Sequence[float]) -> float:
    """Slope of the last stretch over slope of the first: 1 is a straight line."""
    early, late = _slope(sizes, seconds)
    return late / early


def _slope(sizes: Sequence[int], seconds: Sequence[float]) -> tuple[float, float]:
    """Seconds for one more, between the first two of three sizes and between the last two."""
    early = (seconds[1] - seconds[0]) / (sizes[1] - sizes[0])
    return early, (seconds[2] - seconds[1]) / (sizes[2] - sizes[1])


def _extrapolated() -> str:
    """How rasterstats was timed."""
    return (
        f"rasterstats ran on one zone in {RASTERSTATS_SHARE}; its median is that time "
        f"multiplied by {RASTERSTATS_SHARE}."
    )


def _agreement(zones: gpd.GeoDataFrame, paths: Sequence[Path]) -> str:
    """How far our means are from exactextract's: a fast wrong answer would be worth nothing."""
    mine = ours.zonal_stats(zones, paths)["mean"].to_numpy()
    theirs = peers.exactextract_stats(zones, paths)["mean"].to_numpy()
    widest = float((abs(mine - theirs) / abs(theirs)).max())
    return f"Means of zonalbatch and exactextract differ by at most {widest:.1e} of their value."
