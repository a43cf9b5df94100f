"""A pytest plugin that points the name ``rasterstats`` at our module, for the peer's own tests.

What the tests import of the peer's inner parts, and we have no counterpart of, stands for itself
and fails when it is used; which tests those are is told in ``test_rasterstats_suite.py``.
"""

from __future__ import annotations

from typing import Any

from tests.parity.peer_names import stand_in
from zonalbatch.compat import rasterstats
from zonalbatch.compat.rasterstats import features, names, query, zonal

OURS: dict[str, dict[str, Any]] = {
    "rasterstats": vars(rasterstats),
    "rasterstats.main": vars(zonal),
    "rasterstats.point": vars(query),
    "rasterstats.io": vars(features)
    | {
        "DEFAULT_CHUNK_SIZE": features.CHUNK_SIZE,
        "feature_generator": features.read_features,
    },
    "rasterstats.utils": vars(names),
    "rasterstats.cli": {},
}


stand_in(OURS)
