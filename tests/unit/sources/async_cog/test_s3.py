"""COGs in S3, by ranges: signed, anonymous, at the requester's cost, or refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rasterio.shutil import copy

from tests.made.buckets import S3, s3_server
from tests.made.rasters import noise, write_tif
from tests.made.store import Asked, Store, serving
from zonalbatch.errors import RefusedReadError
from zonalbatch.sources import access, open_pixels
from zonalbatch.sources.async_cog.pixels import CogPixels

VALUES = noise(256, 256)
WINDOW = (100, 20, 180, 220)


@dataclass(frozen=True)
class Guarded:
    """An S3 server that looks at signatures, a file in it, and who may read it."""

    server: S3
    href: str
    key: str
    secret: str

    def enter(self, monkeypatch: pytest.MonkeyPatch, key: str, secret: str) -> None:
        """Come as somebody."""
        names = {
            "AWS_S3_ENDPOINT": f"127.0.0.1:{self.server.port}", "AWS_HTTPS": "NO",
            "AWS_VIRTUAL_HOSTING": "FALSE", "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret,
        }  # fmt: skip
        for name, value in names.items():
            monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """A server that lets in who comes first, to set up; then only who may."""
    import boto3

    folder = tmp_path_factory.mktemp("cogs")
    with s3_server(INITIAL_NO_AUTH_ACTION_COUNT="5") as server:

        def ask(service: str) -> Any:
            return boto3.client(
                service, endpoint_url=f"http://127.0.0.1:{server.port}", region_name="us-east-1",
                aws_access_key_id="first", aws_secret_access_key="first",
            )  # fmt: skip

        ask("s3").create_bucket(Bucket="scenes")
        body = Path(cog(folder)).read_bytes()
        ask("s3").put_object(Bucket="scenes", Key="deep/a b.tif", Body=body)
        ask("iam").create_user(UserName="reader")
        made = ask("iam").create_access_key(UserName="reader")["AccessKey"]
        allowed = '{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}'
        ask("iam").put_user_policy(
            UserName="reader", PolicyName="read",
            PolicyDocument=f'{{"Version": "2012-10-17", "Statement": [{allowed}]}}',
        )  # fmt: skip
        yield Guarded(
            server, "s3://scenes/deep/a b.tif", made["AccessKeyId"], made["SecretAccessKey"]
        )


def cog(folder: Path) -> str:
    """A small COG."""
    target = folder / "a.tif"
    plain = write_tif(folder / "p.tif", VALUES)
    copy(plain, target, driver="COG", blocksize=128, compress="DEFLATE")
    return str(target)


def test_signed(guarded: Guarded, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys of the environment sign, by either reader."""
    guarded.enter(monkeypatch, guarded.key, guarded.secret)
    top, left, bottom, right = WINDOW
    for pixels in (CogPixels(guarded.href), open_pixels(guarded.href)):
        assert np.array_equal(pixels.read([1], WINDOW)[0], VALUES[top:bottom, left:right])


@pytest.mark.parametrize("reader", [CogPixels, open_pixels])
def test_refused(guarded: Guarded, monkeypatch: pytest.MonkeyPatch, reader: Any) -> None:
    """A wrong credential fails for good, in one sentence without the credential."""
    for key, secret in ((guarded.key, "WRONGSECRET"), ("NOBODY", "WRONGSECRET")):
        guarded.enter(monkeypatch, key, secret)
        with pytest.raises(RefusedReadError) as told:
            _ = reader(guarded.href, access=access.access_given(None)).header
        message = str(told.value)
        assert "a b.tif could not be read" in message
        assert "check that it exists, and that sign gives the right to read it" in message
        assert "WRONGSECRET" not in message
        assert "\n" not in message


@pytest.mark.parametrize(
    ("keys", "signed", "payer"),
    [
        ({"anonymous": True}, False, None),
        ({"requester_pays": True}, True, "requester"),
        ({}, True, None),
    ],
)
def test_what_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keys: dict[str, bool], signed: bool,
    payer: str | None,
) -> None:  # fmt: skip
    """Anonymous requests carry no name; whoever agrees to pay says so in each."""
    cog(tmp_path / "box")
    with serving(Store(tmp_path)) as store:
        guarded = Guarded(S3(store.port), "s3://box/a.tif", "key", "secret")
        guarded.enter(monkeypatch, "key", "secret")
        pixels = CogPixels(guarded.href, access.access_given({"kind": "aws", **keys}))
        assert pixels.read([1], WINDOW).shape == (1, 80, 200)
        asked: list[Asked] = [one for one, _ in store.log]
    assert len(asked) == 2
    assert all(("authorization" in one.headers) == signed for one in asked)
    assert all(one.headers.get("x-amz-request-payer") == payer for one in asked)
