"""Access to S3: by a profile, anonymous, or at the requester's cost."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from zonalbatch.errors import InputError
from zonalbatch.sources.access.grant import Grant

__all__ = ["Aws"]

PREFIXES = ("s3://", "/vsis3/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Aws:
    """Whose name stands under requests to S3, and who pays; keys come from where AWS looks.

    GDAL signs the requests: https://gdal.org/en/stable/user/virtual_file_systems.html#vsis3
    """

    requester_pays: bool = False
    """Agree to pay for what is read."""
    profile: str | None = None
    """A profile of the AWS configuration files of each machine that reads."""
    anonymous: bool = False
    """Sign nothing, whatever keys there are."""
    region: str | None = None
    """Of the buckets; None asks the environment and the profile."""

    def __post_init__(self) -> None:
        """Refuse what excludes each other."""
        if self.anonymous and (self.requester_pays or self.profile):
            other = "profile" if self.profile else "requester_pays"
            raise InputError(f"sign: anonymous sends no name, and {other} needs one; choose one")

    @property
    def document(self) -> dict[str, Any]:
        """What is asked for."""
        return {"kind": "aws"} | {key: value for key, value in asdict(self).items() if value}

    def bare(self, href: str) -> str:
        """The link as it is: one of S3 has no signature."""
        return href

    def grant(self, href: str) -> Grant:
        """The file as GDAL names it, with settings of its own; other links as they are."""
        start = next((one for one in PREFIXES if href.startswith(one)), None)
        if start is None:
            return Grant(href)
        return Grant(f"/vsis3/{href.removeprefix(start)}", self._options())

    def refused(self, grant: Grant) -> None:
        """Nothing can be done about it: GDAL renews short-lived keys by itself."""

    def _options(self) -> dict[str, str]:
        told = {
            "AWS_REQUEST_PAYER": "requester" if self.requester_pays else None,
            "AWS_PROFILE": self.profile,
            "AWS_NO_SIGN_REQUEST": "YES" if self.anonymous else None,
            "AWS_REGION": self.region,
        }
        return {key: value for key, value in told.items() if value is not None}
