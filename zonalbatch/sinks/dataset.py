"""Dataset: a folder of files of rows, each of which appears whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from zonalbatch.sinks.files import make_folder, replacing

__all__ = ["Dataset", "written"]


@dataclass(frozen=True, slots=True)
class Dataset:
    """Rows that are told of the results at the seal, beside them."""

    folder: Path

    @property
    def files(self) -> list[Path]:
        """The files that there are, in order of names."""
        return sorted(self.folder.glob("part-*.parquet"))

    def path(self, name: str) -> Path:
        """Where the rows of a name lie."""
        return self.folder / f"part-{name}.parquet"

    def write(
        self, name: str, tables: Iterable[pa.Table], schema: pa.Schema, metadata: dict[bytes, bytes]
    ) -> None:
        """Write the rows of a name.

        Raises:
            OutputError: the file cannot be written.
        """
        make_folder(self.folder)
        with written(self.path(name), tables, schema, metadata):
            pass

    def keep(self, names: Iterable[str]) -> None:
        """Remove the rows of all other names, and the folder if nothing is left."""
        kept = {self.path(name) for name in names}
        for file in set(self.files) - kept:
            file.unlink()
        if not kept and self.folder.exists():
            self.folder.rmdir()


@contextmanager
def written(
    path: Path, tables: Iterable[pa.Table], schema: pa.Schema, metadata: dict[bytes, bytes]
) -> Iterator[pq.ParquetWriter]:
    """A file of rows, and its writer before it is closed; it appears whole or not at all."""
    with (
        replacing(path) as file,
        pq.ParquetWriter(
            file,
            schema.with_metadata(metadata),
            compression="zstd",
            version="2.6",
            write_page_checksum=True,
        ) as writer,
    ):
        for table in tables:
            writer.write_table(table.replace_schema_metadata(metadata))
        yield writer
