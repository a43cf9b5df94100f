"""List column: lists in a pandas frame that stay in Arrow until one of them is looked at.

A million (class, value) pairs take 16 MB as they are and a gigabyte as dictionaries, which also
take seconds to make. pandas' own columns of Arrow's lists would do, but that the Parquet files it
writes of them cannot be read by pandas again: their type's name means nothing to it. Here the type
goes by the name of what a reader gets: objects.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from pandas.arrays import ArrowExtensionArray

__all__ = ["ListColumn", "ListType"]


class ListType(pd.ArrowDtype):
    """Arrow's lists, written to files as a column of objects."""

    @property
    def name(self) -> str:  # type: ignore[override]
        """What pandas is told by a file that holds such a column."""
        return "object"

    @classmethod
    def construct_array_type(cls) -> type[ListColumn]:  # type: ignore[override]
        """The column of this type."""
        return ListColumn


class ListColumn(ArrowExtensionArray):
    """A column of Arrow's lists; each is made a Python list when it is taken out."""

    def __init__(self, values: pa.Array | pa.ChunkedArray) -> None:
        super().__init__(values)
        self._dtype = ListType(values.type)

    def to_numpy(
        self, dtype: Any = None, copy: bool = False, na_value: object = None
    ) -> NDArray[Any]:
        """Objects: Python's lists, as those that are taken out one by one; None for no list."""
        lists = np.empty(len(self), object)
        lists[:] = self.to_pylist()
        return lists

    def to_pylist(self) -> list[Any]:
        """The lists."""
        return pa.array(self).to_pylist()  # type: ignore[no-any-return]
