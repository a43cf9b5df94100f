"""Security: certificates of client, scheduler and workers, as Dask takes them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from zonalbatch.errors import InputError
from zonalbatch.job import TlsKeys

if TYPE_CHECKING:
    from distributed import Security

__all__ = ["security_of"]


def security_of(tls: TlsKeys | None) -> Security:
    """The certificates of a job, or those of Dask's own configuration.

    Raises:
        InputError: one of the files is not there.
    """
    from distributed import Security

    if tls is None:
        return Security()
    for file in (tls.ca, tls.cert, tls.key):
        if not Path(file).is_file():
            raise InputError(f"cluster.tls: there is no file {file}; correct its path")
    own = {
        f"tls_{role}_{part}": getattr(tls, part)
        for role in ("client", "scheduler", "worker")
        for part in ("cert", "key")
    }
    return Security(tls_ca_file=tls.ca, require_encryption=True, **own)
