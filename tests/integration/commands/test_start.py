"""What a user meets first: imports, help, version."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

import zonalbatch as zb
from tests.made.commands import Command, command, python
from zonalbatch.cli.app import app

COMMANDS = {"run", "plan", "validate", "schema", "status", "rollup", "report", "plot",
            "stats", "points", "explain", "compare", "demo", "search", "datasets", "extract",
            "clip", "info", "create-tms", "doctor", "serve", "worker"}  # fmt: skip
HEAVY = {
    "dask", "distributed", "geopandas", "matplotlib", "numba", "numpy", "pandas", "pyarrow",
    "pystac", "rasterio", "rioxarray", "shapely", "xarray",
}  # fmt: skip


class TestStart:
    """What a user meets first."""

    @pytest.mark.parametrize(
        "code",
        [
            "import zonalbatch",
            "import zonalbatch.cli",
            "import sys, zonalbatch.cli\nsys.argv = ['zonalbatch', '--help']\n"
            "try: zonalbatch.cli.main()\nexcept SystemExit: pass",
            "import sys, zonalbatch.cli\nsys.argv = ['zonalbatch', 'run', '--help']\n"
            "try: zonalbatch.cli.main()\nexcept SystemExit: pass",
        ],
        ids=["package", "cli", "help", "help of run"],
    )
    def test_it_is_cheap(self, code: str) -> None:
        """Neither the package nor the help imports anything heavy."""
        told = python(f"{code}\nimport sys\nprint('\\nLOADED', *sys.modules)")
        loaded = {name.partition(".")[0] for name in told.rpartition("LOADED")[2].split()}
        assert not loaded & HEAVY

    def test_commands(self) -> None:
        """The commands of the surface are there."""
        names = {c.name or c.callback.__name__ for c in app.registered_commands if c.callback}
        assert names == COMMANDS

    @pytest.mark.parametrize("name", sorted(COMMANDS))
    def test_help_has_an_example(self, name: str) -> None:
        """Every command shows how it is typed."""
        done = CliRunner().invoke(app, [name, "--help"])
        assert done.exit_code == 0
        text = " ".join(done.output.split())
        assert "Example" in text
        assert f"zonalbatch {name}" in text.partition("Example")[2]

    def test_version(self) -> None:
        """`--version` prints the version that the package has."""
        assert command("--version") == (0, f"zonalbatch {zb.__version__}\n", "")

    def test_no_command_shows_the_help(self, here: Command) -> None:
        """A name alone tells what there is; an unknown command is invalid input."""
        code, out, err = here()
        assert "Commands" in out + err
        assert code in (0, 2)
        assert here("nope").code == 2
        assert here("run").code == 2
        assert here("run", "job.yaml", "--nope").code == 2

    def test_the_surface_of_the_package(self) -> None:
        """What is promised can be had, and `dir` tells of it."""
        for name in ("Job", "Results", "open_results", "plan", "run", "search", "zonal_stats"):
            assert name in dir(zb)
            assert getattr(zb, name) is not None
        with pytest.raises(AttributeError, match="nope"):
            _ = zb.nope
