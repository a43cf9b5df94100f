"""Look: what a file says of itself beside its cells: units, classes, licence, origin."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from zonalbatch.catalog.named import Named
from zonalbatch.extract.pieces import Pieces

__all__ = ["look_of"]


def look_of(of: Named, pieces: Pieces, provenance: Mapping[str, Any]) -> dict[str, Any]:
    """Of an extract of some pieces; what their files say is taken of the first one."""
    variable, license = of.variable, of.data.license
    tags = {
        "TIFFTAG_IMAGEDESCRIPTION": of.data.title,
        "TIFFTAG_COPYRIGHT": f"{license.name}: {license.url}",
        "LICENSE": license.text,
        "PROVENANCE": json.dumps(provenance),
    }
    if variable.classes:
        tags["CLASSES"] = json.dumps({str(value): name for value, name in variable.classes.items()})
    return {
        "tags": tags,
        "about": variable.about,
        "units": pieces.says.units,
        "colours": pieces.says.colours,
        "scale": pieces.says.scale,
        "offset": pieces.says.offset,
        "overviews": "AVERAGE" if variable.type == "continuous" else "NEAREST",
    }
