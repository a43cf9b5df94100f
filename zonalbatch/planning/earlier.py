"""Earlier: the plan whose results an output holds, from which the next plan goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from zonalbatch.lattice import Lattice
from zonalbatch.layers import Failure, Layer
from zonalbatch.places import Place
from zonalbatch.planning.files import Part, read_cells, read_layers, read_parts
from zonalbatch.planning.partition import Cell, Partition
from zonalbatch.sinks.output import Output
from zonalbatch.sinks.sums import are_whole
from zonalbatch.sinks.table import Form
from zonalbatch.sources.secrets import shown

__all__ = ["Earlier"]


@dataclass(frozen=True, slots=True, eq=False)
class Earlier:
    """An output's plan, as it is stored, and what has been done of it."""

    folder: Place
    inputs: str
    """What it was made from."""
    partition: Partition
    recipe: dict[str, Any]
    form: Form
    crs: str
    cells: Sequence[Cell]
    layers: tuple[Layer, ...]
    parts: tuple[Part, ...]
    done: frozenset[str]
    """Parts whose rows are all there."""

    @classmethod
    def of(cls, folder: Place) -> Earlier | None:
        """The plan that is stored in a folder; None if there is none, or it is damaged."""
        if not are_whole(folder):
            return None
        document = json.loads((folder / "recipe.json").read_text())
        parts = read_parts(folder)
        return cls(
            folder=folder,
            inputs=document["inputs"],
            partition=Partition.from_document(document["partition"]),
            recipe=document["recipe"],
            form=Form(**document["form"]),
            crs=document["crs"],
            cells=read_cells(folder),
            layers=read_layers(folder),
            parts=parts,
            done=frozenset(Output.of_plan(folder).done(part.id for part in parts)),
        )

    @property
    def fingerprint(self) -> str:
        """Of the plan."""
        return self.folder.name

    def column(self, name: str) -> pa.Array:
        """A column of its zones, in their order."""
        column = pq.read_table((self.folder / "zones.parquet").source(), columns=[name])[name]
        return column.combine_chunks()

    @property
    def zone_schema(self) -> pa.Schema:
        """The columns of its zones, as they are stored."""
        return pq.read_schema((self.folder / "zones.parquet").source())

    @property
    def lattices(self) -> list[Lattice]:
        """The lattices of its layers, each once."""
        return list(dict.fromkeys(a.grid.lattice for layer in self.layers for a in layer.assets))

    def unread(
        self, layers: Sequence[Layer], failures: Sequence[Failure]
    ) -> Iterator[tuple[Layer, str]]:
        """Its layers of which something cannot be read now, though it could; and what that is.

        Their rows are no worse for it: what cannot be read today is not gone.

        Args:
            layers: what the source offers now.
            failures: what it could not read.
        """
        now = {layer.id: layer for layer in layers}
        named = ((one.cause, (one.layer, one.href, shown(one.href))) for one in failures)
        causes = {name: cause for cause, names in named for name in names if name}
        for layer in self.layers:
            found = now.get(layer.id)
            lost = _reads(layer) - (_reads(found) if found else set())
            # Items fail before they are grouped, so that a failure may name one of several.
            names = [layer.id, *sorted({item for items, _ in lost for item in items})]
            told = [causes[name] for name in names if name in causes]
            if found:
                told += [found.missing[band] for _, band in sorted(lost) if band in found.missing]
            if lost and told:
                yield layer, told[0]


def _reads(layer: Layer) -> set[tuple[tuple[str, ...], str]]:
    """What is read of a layer: bands of items."""
    return {(scene.items, band) for scene in layer.scenes for band in scene.assets}
