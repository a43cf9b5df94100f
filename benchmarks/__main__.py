"""Run the benchmarks: ``python -m benchmarks [--quick] [--only NAME] [--data FOLDER]``."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console

from benchmarks import report
from benchmarks.data import FULL, QUICK, Data
from benchmarks.suite import BENCHMARKS

RESULTS = Path(__file__).with_name("RESULTS.md")


def main() -> None:
    """Measure, print as it goes, and write the report after a full run."""
    options = _options()
    data = Data(options.data, QUICK if options.quick else FULL)
    console, outcomes = Console(), {}
    for name in options.only or BENCHMARKS:
        benchmark = BENCHMARKS[name]
        outcome = benchmark.run(data)
        report.show(console, name, benchmark.goal, outcome)
        outcomes[name] = benchmark.goal, outcome
    target = options.write or (None if options.quick or options.only else RESULTS)
    if target:
        report.write(target, outcomes, data.scale.name)
        console.print(f"\nwritten to {target.name}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the zones, small rasters")
    parser.add_argument(
        "--only", action="append", choices=BENCHMARKS, metavar="NAME", help=", ".join(BENCHMARKS)
    )
    parser.add_argument(
        "--data", type=Path, default=Path(".bench-data"), help="where generated data is kept"
    )
    parser.add_argument(
        "--write", type=Path, help="write the report here (by itself only a full run writes one)"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
