"""Plan: what will be done, decided from metadata alone and stored as Parquet.

A plan reads no pixel. It lives in a folder of its own, ``plan/<fingerprint>``, with the zones in
the order of their cells, the layers with their assets, and the parts. A worker is told the folder
and a part's id and reads only the rows it needs.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zonalbatch.layers import Failure, Layer, Layers
from zonalbatch.places import Place, place_of
from zonalbatch.planning.cutting import Cutter, cut_space, pairs_of
from zonalbatch.planning.earlier import Earlier
from zonalbatch.planning.files import (
    Part,
    layer_table,
    part_table,
    read_parts,
    replace_parts,
    write_cells,
    write_functions,
    write_rows,
    write_zones,
)
from zonalbatch.planning.identity import METHOD, digest, layer_hash, recipe_document, recipe_hash
from zonalbatch.planning.increment import order_after, places_of, standing
from zonalbatch.planning.news import Change, News, news_of
from zonalbatch.planning.offer import on_one_lattice, reference_lattice, refuse_none, usable
from zonalbatch.planning.partition import Order, Partition, level_for
from zonalbatch.planning.peak import PROCESS, Peaks, beyond
from zonalbatch.planning.surroundings import Surroundings
from zonalbatch.planning.zone_rows import ZoneRows
from zonalbatch.recipe import Recipe, check_layers
from zonalbatch.sinks.output import Output
from zonalbatch.sinks.sums import are_whole, sum_of, write_sums
from zonalbatch.sinks.table import Form
from zonalbatch.sources.protocol import in_order
from zonalbatch.zones import ZoneReader

__all__ = ["Estimate", "Plan", "make_plan"]

RECIPE = "recipe.json"
"""The file that is the sign of a plan which is stored whole."""

WITH_GEOMETRY = 10_000_000
"""Results of more rows than this leave the geometry out by default."""

MEMORY = 1536 * 2**20
"""Bytes that a part may take, where nobody says."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a plan will cost, from metadata."""

    zones: int
    layers: int
    parts: int
    rows: int
    """An upper bound: zones that a layer does not cover have no row."""
    decoded: int
    """Bytes of pixels, decoded; an upper bound."""
    memory: int
    """Peak bytes of one worker while it does the largest part."""


@dataclass(frozen=True, slots=True)
class Todo:
    """What a plan leaves to do, beside the rows that an output holds already."""

    kept: int
    """Parts that are done."""
    rewritten: int
    """Parts whose rows are taken from those of an earlier part, without pixels."""
    computed: int
    """Parts whose rows are computed."""
    decoded: int
    """Bytes of pixels to read for these, decoded; an upper bound."""


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """All of the work."""

    fingerprint: str
    inputs: str
    """What it was made from: recipe, form, zones and layers, whatever their order."""
    folder: Place
    """Where it is stored."""
    recipe: Recipe
    form: Form
    layers: tuple[Layer, ...]
    parts: tuple[Part, ...]
    partition: Partition
    n_zones: int
    crs: str
    failures: tuple[Failure, ...]
    """What could not be planned, and why."""
    news: News
    """What is new in it."""
    notes: tuple[str, ...] = field(default=())

    @property
    def n_files(self) -> int:
        """How many files its layers are read from, each once for each layer."""
        return sum(len({asset.href for asset in layer.assets}) for layer in self.layers)

    @property
    def estimate(self) -> Estimate:
        """What it will cost."""
        return Estimate(
            zones=self.n_zones,
            layers=len(self.layers),
            parts=len(self.parts),
            rows=sum(p.pairs for p in self.parts),
            decoded=sum(p.decoded for p in self.parts),
            memory=max((p.peak for p in self.parts), default=0) or PROCESS,
        )

    @property
    def todo(self) -> Todo:
        """What is left to do of it."""
        left = [part for part in self.parts if part.id not in self.news.done]
        new = [part for part in left if part.source is None]
        return Todo(
            kept=len(self.parts) - len(left),
            rewritten=len(left) - len(new),
            computed=len(new),
            decoded=sum(part.decoded for part in new),
        )

    def _repr_html_(self) -> str:
        from zonalbatch.notebook.plans import plan_html

        return plan_html(self)

    def halved(self, part: Part, halves: tuple[Part, Part]) -> Plan:
        """The plan with two parts in the place of one, stored, so that later runs have it so.

        Raises:
            OutputError: its folder cannot be written to.
        """
        at = self.parts.index(part)
        parts = (*self.parts[:at], *halves, *self.parts[at + 1 :])
        replace_parts(parts, self.folder)
        return replace(self, parts=parts)


def make_plan(
    zones: ZoneReader,
    found: Layers,
    recipe: Recipe,
    form: Form,
    folder: Place,
    earlier: Earlier | None = None,
    *,
    prune: bool = False,
    memory: int = MEMORY,
) -> Plan:
    """Decide all of the work and store it under ``folder``.

    Args:
        zones: what to summarise over; read once, in batches.
        found: what a source has to offer.
        recipe: what to compute.
        form: how results are written, unless an earlier plan says.
        folder: the ``plan`` folder of an output.
        earlier: the plan whose results the output holds; what stands of it is kept.
        prune: let zones and layers go that are no longer named.
        memory: bytes that a worker may take for a part; those of a new plan are cut to it.

    Raises:
        ZonesError: there is no zone, or an id stands twice.
        SourceError: there is no usable layer, or bands do not nest.
        InputError: zones or layers of the earlier plan are not named, and are not to go.
    """
    found = _offered(found, earlier)
    check_layers(found.layers, recipe)
    with folder.draft() as draft:
        reference = earlier.partition.reference if earlier else None
        rows = ZoneRows.stream(
            zones, reference or reference_lattice(found.layers, recipe), draft / "zones.arrow"
        )
        planner = _Planner(zones, found, recipe, form, rows, draft, folder, memory)
        return planner.after(earlier, prune=prune) if earlier else planner.first()


def _offered(found: Layers, earlier: Earlier | None) -> Layers:
    """The layers that can be planned; those that cannot be read now stay as they were planned."""
    layers, failures = usable(
        on_one_lattice(found.layers, earlier.lattices if earlier else ()), found.failures
    )
    notes = found.notes
    if earlier:
        unread = {layer.id: (layer, why) for layer, why in earlier.unread(layers, failures)}
        others = [layer for layer in layers if layer.id not in unread]
        layers = in_order([*others, *(layer for layer, _ in unread.values())])
        notes += tuple(
            f"layer {name!r} cannot be read as before, and keeps its rows: {why}"
            for name, (_, why) in unread.items()
        )
    refuse_none(layers, failures)
    return replace(found, layers=layers, failures=failures, notes=notes)


@dataclass(slots=True, eq=False)
class _Planner:
    """Everything that a plan follows from."""

    zones: ZoneReader
    found: Layers
    recipe: Recipe
    form: Form
    rows: ZoneRows
    draft: Path
    """Where its tables are made."""
    folder: Place
    """Of all plans."""
    memory: int

    def first(self) -> Plan:
        """The plan of an output that has none."""
        level, here = level_for(self.found.layers), self._surroundings(self.found.layers)
        reference = reference_lattice(self.found.layers, self.recipe)
        every = np.arange(len(self.rows.hashes))
        bucket, order = cut_space(self.rows, every, here, level, None)
        partition = Partition(level, bucket, reference)
        if self.form.geometry is None:
            few = pairs_of(self.rows, order, here) <= WITH_GEOMETRY
            self.form = replace(self.form, geometry=few)
        parts = tuple(self._cutter(here, partition, order).parts())
        news = News(Change(len(every)), Change(len(self.found.layers)))
        inputs = self._inputs()
        return self._stored(self._plan(inputs, inputs, parts, partition, news), order)

    def after(self, earlier: Earlier, *, prune: bool) -> Plan:
        """The plan that goes on from an earlier one, in its form."""
        self.form = earlier.form
        place = places_of(earlier, self.rows)
        news = news_of(earlier, place, self.rows.file, self.found.layers)
        inputs = self._inputs()
        if inputs == earlier.inputs:
            return self._again(earlier, news)
        if not prune:
            news.refuse_gone(Output.of_plan(earlier.folder).path)
        partition = earlier.partition
        here, before = map(self._surroundings, (self.found.layers, earlier.layers))

        def cut(some: NDArray[np.int64]) -> Order:
            return cut_space(self.rows, some, here, partition.level, partition.bucket)[1]

        order = order_after(earlier, place, self.rows, cut)
        cutter = self._cutter(here, partition, order)
        stand = standing(earlier, place, order, self.rows, before, here, cutter.identify)
        parts = tuple(cutter.parts(list(stand)))
        told = (f"{p.id} {p.start} {p.source}".encode() for p in parts)
        fingerprint = digest(inputs.encode(), *told).hex()
        return self._stored(self._plan(fingerprint, inputs, parts, partition, news), order)

    def _again(self, earlier: Earlier, news: News) -> Plan:
        """The earlier plan, as nothing is new."""
        made = self._plan(
            earlier.fingerprint, earlier.inputs, earlier.parts, earlier.partition, news
        )
        return replace(made, layers=earlier.layers)

    def _inputs(self) -> str:
        """What the plan is made from, as a hash."""
        zones = np.sort(self.rows.hashes.view("V16").reshape(-1)).tobytes()
        layers = sorted(map(layer_hash, self.found.layers))
        return digest(recipe_hash(self.recipe, self.form.document), zones, *layers).hex()

    def _surroundings(self, layers: tuple[Layer, ...]) -> Surroundings:
        return Surroundings.of(layers, self.zones.crs, self.recipe)

    def _cutter(self, here: Surroundings, partition: Partition, order: Order) -> Cutter:
        recipe = recipe_hash(self.recipe, self.form.document)
        peaks = Peaks.of(self.recipe, self.form, self.found.layers, self.memory)
        return Cutter(self.rows, here, recipe, partition.bucket, order, peaks)

    def _plan(
        self,
        fingerprint: str,
        inputs: str,
        parts: tuple[Part, ...],
        partition: Partition,
        news: News,
    ) -> Plan:
        return Plan(
            fingerprint=fingerprint,
            inputs=inputs,
            folder=self.folder / fingerprint,
            recipe=self.recipe,
            form=self.form,
            layers=self.found.layers,
            parts=parts,
            partition=partition,
            n_zones=len(self.rows.hashes),
            crs=self.zones.crs,
            failures=self.found.failures,
            news=news,
            notes=(*self._notes, *beyond(parts, self.memory)),
        )

    @property
    def _notes(self) -> tuple[str, ...]:
        return (*self.found.notes, *self.found.doubts, *self.zones.notes)

    def _stored(self, plan: Plan, order: Order) -> Plan:
        """Write all tables, then give the folder its name, unless they are there."""
        if _is_stored(plan):
            return plan
        draft = self.draft
        sizes = self.rows.figures[:, 0]
        write_zones(self.rows.file, draft / "zones.parquet", order.rows, sizes)
        self.rows.file.unlink()
        write_cells(order.cells, draft / "cells.parquet")
        write_rows(layer_table(plan.layers), draft / "layers.parquet")
        write_rows(part_table(plan.parts), draft / "parts.parquet")
        document = {
            "method": METHOD,
            "fingerprint": plan.fingerprint,
            "inputs": plan.inputs,
            "crs": plan.crs,
            "recipe": recipe_document(plan.recipe),
            "form": plan.form.document,
            "partition": asdict(plan.partition),
        }
        write_functions(draft, plan.recipe)
        (draft / RECIPE).write_text(json.dumps(document, indent=1))
        write_sums(draft, {file.name: sum_of(place_of(file)) for file in draft.iterdir()})
        self.folder.adopt(draft, plan.folder.name, last=RECIPE)
        return plan


def _is_stored(plan: Plan) -> bool:
    """True if its folder holds this plan, and not one that another version has cut otherwise."""
    names = {"zones.parquet", "layers.parquet", "cells.parquet", "parts.parquet", RECIPE}
    there = names <= set(plan.folder.files()) and are_whole(plan.folder)
    return there and read_parts(plan.folder) == plan.parts
