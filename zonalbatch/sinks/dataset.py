"""Dataset: a folder of files of rows, each of which appears whole or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from zonalbatch.places import Place
from zonalbatch.sinks.sums import Sum, Summing

__all__ = ["Dataset", "rows_read", "written"]

COLUMNS = b"zonalbatch:columns"
"""Key of a file's footer: a hash of its columns, which no checksum of a page covers."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """Rows that are told of the results at the seal, beside them."""

    folder: Place

    @property
    def files(self) -> list[Place]:
        """The files that there are, in order of names."""
        return [self.folder / name for name in sorted(self.folder.files())]

    def path(self, name: str) -> Place:
        """Where the rows of a name lie."""
        return self.folder / f"part-{name}.parquet"

    def write(
        self, name: str, tables: Iterable[pa.Table], schema: pa.Schema, metadata: dict[bytes, bytes]
    ) -> Sum:
        """Write the rows of a name.

        Raises:
            OutputError: the file cannot be written.
        """
        self.folder.make()
        with written(self.path(name), tables, schema, metadata) as (_, summing):
            pass
        return summing.sum

    def keep(self, names: Iterable[str]) -> None:
        """Remove the rows of all other names, and the folder if nothing is left."""
        kept = {f"part-{name}.parquet" for name in names}
        for file in set(self.folder.files()) - kept:
            (self.folder / file).remove()
        if not kept:
            self.folder.clear()


@contextmanager
def written(
    place: Place, tables: Iterable[pa.Table], schema: pa.Schema, metadata: dict[bytes, bytes]
) -> Iterator[tuple[pq.ParquetWriter, Summing]]:
    """A file of rows: its writer before it is closed, and its sum after; whole or not at all."""
    metadata = {**metadata, COLUMNS: _hash_of(schema)}
    with place.replacing() as file:
        summing = Summing(file)
        with pq.ParquetWriter(
            summing,
            schema.with_metadata(metadata),
            compression="zstd",
            version="2.6",
            write_page_checksum=True,
        ) as writer:
            for table in tables:
                writer.write_table(table.replace_schema_metadata(metadata))
            yield writer, summing


def rows_read(place: Place) -> int:
    """Rows that can be read of a file, page by page with their checksums; -1 if one is broken."""
    try:
        with pq.ParquetFile(place.source(), page_checksum_verification=True) as file:
            told = (file.metadata.metadata or {}).get(COLUMNS)
            if told not in (None, _hash_of(file.schema_arrow)):
                return -1
            groups = range(file.num_row_groups)
            return sum(file.read_row_group(group).num_rows for group in groups)
    except (OSError, pa.ArrowException):
        return -1


def _hash_of(schema: pa.Schema) -> bytes:
    """That of names and types of columns."""
    told = "\n".join(f"{field.name}: {field.type}" for field in schema)
    return hashlib.blake2b(told.encode(), digest_size=16).hexdigest().encode()
