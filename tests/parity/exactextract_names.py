"""A pytest plugin that points the name ``exactextract`` at our module, for the peer's own tests.

What the tests import of the peer's inner parts, and we have no counterpart of, stands for itself
and fails when it is used; which tests those are is told in ``test_exactextract_suite.py``.
"""

from __future__ import annotations

from tests.parity.peer_names import stand_in
from zonalbatch.compat import exactextract
from zonalbatch.compat.exactextract import feature, operation, processor, raster, writer

stand_in(
    {
        "exactextract": vars(exactextract) | {"__version__": "0.3.0"},
        "exactextract.feature": vars(feature),
        "exactextract.operation": vars(operation),
        "exactextract.raster": vars(raster),
        "exactextract.writer": vars(writer),
        "exactextract.processor": vars(processor),
    }
)
