"""Claim: whose results an output holds, and whether a job may go on from them."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, replace
from typing import Any

from zonalbatch.errors import SchemaError
from zonalbatch.layers import Layers
from zonalbatch.planning.earlier import Earlier
from zonalbatch.planning.identity import METHOD, layer_hash, recipe_document
from zonalbatch.planning.plan import Plan
from zonalbatch.recipe import Recipe
from zonalbatch.sinks.output import Output
from zonalbatch.sinks.table import Form, carried_columns
from zonalbatch.sources.protocol import GroupBy
from zonalbatch.zones import ZoneReader

__all__ = [
    "as_mended", "claim", "earlier_plan", "note_mended", "refuse_other_input", "without_version",
]  # fmt: skip


def earlier_plan(
    output: Output, recipe: Recipe, form: Form, group_by: GroupBy, zones: ZoneReader
) -> Earlier | None:
    """The plan that an output holds the results of; None if it has no rows, or lost its plan.

    Raises:
        SchemaError: they are the results of another recipe or form, of layers that were made in
            another way, or of zones with other columns.
    """
    manifest = _held(output)
    if not manifest:
        return None
    earlier = Earlier.of(output.plans / manifest["fingerprint"])
    _refuse_another_method(output, manifest)
    _refuse_another(output, manifest, recipe, form)
    if manifest.get("group_by", group_by) != group_by:
        raise SchemaError(_other(output, f"group_by: {manifest['group_by']}"))
    if earlier is not None:
        _refuse_other_columns(output, earlier, zones)
    return earlier


def _held(output: Output) -> Mapping[str, Any]:
    """What the manifest says, if there are rows: a run that never came so far claims nothing."""
    return output.manifest() if output.part_sizes() else {}


def _refuse_another_method(output: Output, manifest: Mapping[str, Any]) -> None:
    """Numbers of two methods do not go together: others would be kept under a new plan."""
    held = manifest.get("method", METHOD)
    if held != METHOD:
        raise SchemaError(
            _other(
                output, f"method {held} of another version of zonalbatch (this one has {METHOD})"
            )
        )


def _refuse_another(
    output: Output, manifest: Mapping[str, Any], recipe: Recipe, form: Form
) -> None:
    before, told = manifest["recipe"], recipe_document(recipe)
    # In order, for it is the order of columns.
    differ = [k for k in {**before, **told} if _text(before.get(k)) != _text(told.get(k))]
    if differ:
        what = f"another job ({', '.join(differ)} differ{'s' * (len(differ) == 1)})"
        if name := without_version(recipe):
            what = f"an earlier run, and {name} has no version by which it might be the same"
        raise SchemaError(_other(output, what))
    held = Form(**manifest["form"])
    own = replace(form, ranges=held.ranges)  # which follow from the first layers
    own = replace(own, geometry=held.geometry) if own.geometry is None else own
    if own != held:
        raise SchemaError(_other(output, "another form (layout, geometry or prefix differ)"))


def _text(value: object) -> str:
    """A value of a recipe, as it is once it was stored."""
    return json.dumps(value)


def _refuse_other_columns(output: Output, earlier: Earlier, zones: ZoneReader) -> None:
    there = earlier.zone_schema
    held = {name: there.field(name).type for name in ("zone_id", *carried_columns(there))}
    here = {"zone_id": zones.id_type} | {field.name: field.type for field in zones.carried}
    if list(held.items()) != list(here.items()) or earlier.crs != zones.crs:
        raise SchemaError(_other(output, "zones with other columns or in another CRS"))


def refuse_other_input(output: Output, made: Plan) -> None:
    """See that an output which lost its plan holds the results of a new one all the same.

    Raises:
        SchemaError: they are results of other zones or scenes.
    """
    manifest = _held(output)
    if manifest and manifest["inputs"] != made.inputs:
        raise SchemaError(_other(output, "other zones or scenes, and their plan is gone"))


def _other(output: Output, what: str) -> str:
    return (
        f"{output.path} holds the results of {what}; choose another output.path, or "
        "remove that folder"
    )


def without_version(recipe: Recipe) -> str:
    """The name of a function that cannot be told from another of that name; empty if none is so."""
    marked = [s for s in recipe_document(recipe)["statistics"] if "mark" in s]
    return str(marked[0]["name"]) if marked else ""


def claim(output: Output, made: Plan, group_by: GroupBy) -> None:
    """Note in an output that it holds the results of a plan, and what made its layers."""
    if _held(output).get("fingerprint") == made.fingerprint:
        return
    # What the last seal says stays: until the next one, its rows are the result.
    output.write_manifest(
        method=METHOD,
        inputs=made.inputs,
        fingerprint=made.fingerprint,
        partition=asdict(made.partition),
        recipe=recipe_document(made.recipe),
        form=made.form.document,
        group_by=group_by,
        alone=None,
    )


def note_mended(output: Output, found: Layers, mismatched: Collection[str]) -> None:
    """Note which layers' items are wrong about their files, so that none is tried again."""
    wrong = {layer_hash(one).hex(): one.id for one in found.layers if one.id in mismatched}
    output.write_manifest(mended=output.manifest().get("mended", {}) | wrong)


def as_mended(found: Layers, earlier: Earlier, output: Output) -> Layers:
    """Layers whose items are known to be wrong about their files, as they were planned by these."""
    mended = output.manifest().get("mended", {})
    if not mended:
        return found
    known = {layer.id: layer for layer in earlier.layers}
    layers = (known.get(mended.get(layer_hash(one).hex()), one) for one in found.layers)
    return replace(found, layers=tuple(layers))
