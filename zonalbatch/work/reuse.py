"""Reuse: the rows of a part from the file of an earlier one that holds them among others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from zonalbatch.errors import PermanentReadError
from zonalbatch.places import Place
from zonalbatch.planning.files import PartInput
from zonalbatch.receipts import Receipt, key_of
from zonalbatch.sinks.output import Output, read_receipt
from zonalbatch.sinks.table import rows_of_pair

__all__ = ["Reuse", "reusable"]


class Reuse:
    """Rows of a file that are of some zones and layers, counted as they pass."""

    def __init__(self, file: Place, receipt: Receipt, given: PartInput) -> None:
        self._file, self.receipt, self._given = file, receipt, given
        self._met = np.zeros(given.zones.num_rows, bool)
        self._rows = 0

    def tables(self) -> Iterator[pa.Table]:
        """The rows in their order, a row group at a time.

        Raises:
            ReadError: the file is broken.
        """
        zones = self._given.zones["zone_id"].combine_chunks()
        layers = pa.array([layer.id for layer in self._given.layers], pa.string())
        for table in self._groups():
            place = pc.index_in(table["zone_id"], value_set=zones)
            asked = pc.is_in(table["layer"], value_set=layers)
            table = table.filter(pc.and_(pc.is_valid(place), asked))
            if table.num_rows:
                self._count(table, zones)
                yield table

    def _groups(self) -> Iterator[pa.Table]:
        try:
            file = pq.ParquetFile(self._file.source(), page_checksum_verification=True)
            for number in range(file.num_row_groups):
                yield file.read_row_group(number)
        except (OSError, pa.ArrowException) as error:
            raise PermanentReadError(f"{self._file} is broken: {error}") from error

    def _count(self, table: pa.Table, zones: pa.Array) -> None:
        self._rows += table.num_rows
        self._met[pc.index_in(table["zone_id"], value_set=zones).to_numpy()] = True

    @property
    def rows(self) -> int:
        """Pairs of zone and layer that have passed."""
        return self._rows // rows_of_pair(self._given.recipe, self._given.form)

    @property
    def unmet(self) -> NDArray[np.bool_]:
        """(zone,) True if none of the rows that have passed is the zone's."""
        return np.logical_not(self._met)

    def told(self, of_bands: Mapping[str, Any]) -> dict[str, Any]:
        """What was noted of bands (by `key_of`), of those of the layers alone."""
        assets = (asset for layer in self._given.layers for asset in layer.assets)
        keys = {key_of(asset.href, asset.band) for asset in assets}
        return {key: of_bands[key] for key in keys & of_bands.keys()}


def reusable(output: Output, given: PartInput) -> Reuse | None:
    """The rows of a part in its source; None if that is not there, not whole, or had failures."""
    if given.part.source is None:
        return None
    file = output.part_path(given.part.source)
    receipt = read_receipt(file)
    return None if receipt is None or receipt.failures else Reuse(file, receipt, given)
