"""Attacks on what lies inside, by each library that a worker reads with: none is heard there."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from rasterio.shutil import copy

import zonalbatch as zb
from tests.made.certificates import certified
from tests.made.leaving import CLIENTS, beside, fetched, worker
from tests.made.rasters import BLOCKS, noise, write_tif
from tests.made.store import Store, serving
from zonalbatch.demo import Landscape
from zonalbatch.errors import ForbiddenAddress
from zonalbatch.service.egress.addresses import Addresses
from zonalbatch.service.egress.proxy import Egress
from zonalbatch.service.egress.way_out import refusals_told

HEARING = ("gdal", "ranges", "urllib", "requests")
"""Libraries that hear of the proxy; the others are kept from leaving at all."""


@dataclass(frozen=True)
class World:
    """Servers on loopback: two that may be reached, and one inside."""

    open: Store
    secure: Store
    inner: Store
    egress: Egress
    pool: ProcessPoolExecutor

    def url(self, text: str) -> str:
        """An address of the tables below, with ports and schemes as they came out."""
        for name in ("open", "secure", "inner"):
            text = text.replace(f"<{name}>", str(getattr(self, name).port))
        return text

    def fetched(self, client: str, text: str) -> float:
        """What a library reads, in the worker."""
        return self.pool.submit(fetched, client, self.url(text)).result(60)


def look_up(name: str, port: int) -> Sequence[str]:
    """All names of these tests lead to this machine."""
    return {
        "metadata.example": ["169.254.169.254"],
        "mapped.example": ["::ffff:127.0.0.1"],
        "mixed.example": ["93.184.215.14", "127.0.0.1"],
        "localhost": ["127.0.0.1", "::1"],
    }.get(name, ["127.0.0.1"])


@pytest.fixture(scope="module")
def world(land: Landscape, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The servers, the way out, and a worker whose environment would have it go elsewhere."""
    folder = tmp_path_factory.mktemp("files")
    plain = write_tif(folder / "plain.tif", noise(256, 256), **BLOCKS)
    copy(plain, folder / "a.tif", driver="COG", blocksize=128, compress="DEFLATE")
    shutil.copytree(land.folder, folder / "land")
    authority, certificate = certified(tmp_path_factory.mktemp("keys"), "secure.example")
    with (
        pytest.MonkeyPatch.context() as patch,
        serving(Store(folder)) as open_,
        serving(Store(folder), certificate) as secure,
        serving(Store(folder)) as inner,
    ):
        mislead(patch, tmp_path_factory.mktemp("home"), authority)
        # Inside is on the first list, with its port: so that it is refused for where it lies.
        names = ("inner", "mapped", "mixed", "metadata")
        hosts = [f"{name}.example" for name in names] + ["localhost", "127.0.0.1", "[::1]"]
        allowed = [f"{host}:{inner.port}" for host in hosts] + [f"169.254.169.254:{inner.port}"]
        private = [f"open.example:{open_.port}", f"other.example:{open_.port}"]
        addresses = Addresses.of(allowed, [*private, f"secure.example:{secure.port}"])
        with (
            beside(replace(addresses, resolve=look_up)) as egress,
            worker(egress.url) as pool,
        ):
            found = World(open_, secure, inner, egress, pool)
            for store in (open_, secure):
                store.redirects = {
                    sent_from(name): found.url(target) for name, target in TARGETS.items()
                }
            yield found


def mislead(patch: pytest.MonkeyPatch, home: Path, authority: Path) -> None:
    """An environment that names other proxies, and none for this machine."""
    (home / ".gdal").mkdir()
    rules = "[configoptions]\nGDAL_HTTP_PROXY=http://127.0.0.1:9\n"
    (home / ".gdal" / "gdalrc").write_text(rules)
    (home / "gdalrc").write_text(rules)
    for name, value in {
        "HOME": str(home), "GDAL_CONFIG_FILE": str(home / "gdalrc"), "no_proxy": "*",
        "NO_PROXY": "127.0.0.1,localhost,.example,::1", "GDAL_HTTP_PROXY": "http://127.0.0.1:9",
        "GDAL_HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9",
        "REQUEST_METHOD": "GET", "SSL_CERT_FILE": str(authority),
        "REQUESTS_CA_BUNDLE": str(authority), "GDAL_CURL_CA_BUNDLE": str(authority),
    }.items():  # fmt: skip
        patch.setenv(name, value)


def sent_from(name: str) -> str:
    """The path of an open server that sends clients on to a target of a name."""
    return f"/to/{name.replace(' ', '-')}.tif"


TARGETS = {
    "an address": "http://127.0.0.1:<inner>/a.tif",
    "an address by TLS": "https://127.0.0.1:<inner>/a.tif",
    "a name": "http://inner.example:<inner>/a.tif",
    "a name by TLS": "https://inner.example:<inner>/a.tif",
    "localhost": "http://localhost:<inner>/a.tif",
    "a name of two addresses": "http://mixed.example:<inner>/a.tif",
    "a name of a mapped address": "http://mapped.example:<inner>/a.tif",
    "IPv6": "http://[::1]:<inner>/a.tif",
    "IPv4 in IPv6": "http://[::ffff:127.0.0.1]:<inner>/a.tif",
    "decimal": "http://2130706433:<inner>/a.tif",
    "octal": "http://0177.0.0.1:<inner>/a.tif",
    "hexadecimal": "http://0x7f.1:<inner>/a.tif",
    "short": "http://127.1:<inner>/a.tif",
    "metadata": "http://169.254.169.254:<inner>/latest/meta-data/",
    "metadata by name": "http://metadata.example:<inner>/latest/meta-data/",
    "a port": "http://open.example:<inner>/a.tif",
    "a port by TLS": "https://open.example:<inner>/a.tif",
}
"""What lies inside, or is not listed."""

ATTACKS = {
    **TARGETS,
    **{
        f"sent on to {name}": f"http://open.example:<open>{sent_from(name)}"
        for name in ("an address", "a name", "IPv6", "decimal", "metadata", "a port")
    },
    **{
        f"sent on by TLS to {name}": f"https://secure.example:<secure>{sent_from(name)}"
        for name in ("an address by TLS", "a name by TLS")
    },
}


@pytest.mark.parametrize("client", HEARING)
@pytest.mark.parametrize("attack", ATTACKS)
def test_what_lies_inside_is_not_reached(world: World, attack: str, client: str) -> None:
    """The worker is told that the host may not be reached, and nothing was asked of it."""
    with pytest.raises(ForbiddenAddress):
        world.fetched(client, ATTACKS[attack])
    assert world.inner.log == []


@pytest.mark.parametrize("client", ["urllib3", "socket"])
@pytest.mark.parametrize("place", ["127.0.0.1:<inner>", "127.0.0.1:<open>"])
def test_what_hears_of_no_proxy_does_not_leave(world: World, place: str, client: str) -> None:
    """Neither to what lies inside, nor to what may be reached: each connection is looked at."""
    before = len(world.open.log)
    with pytest.raises(zb.errors.ReadError, match="by its proxy only"):
        world.fetched(client, f"http://{place}/a.tif")
    assert world.inner.log == []
    assert len(world.open.log) == before


@pytest.mark.parametrize("client", HEARING)
@pytest.mark.parametrize(
    "url", ["http://open.example:<open>/a.tif", "https://secure.example:<secure>/a.tif"]
)
def test_what_may_be_reached_is_read(world: World, url: str, client: str) -> None:
    """By plain requests and by tunnels; all that a server answers comes by the way out."""
    before = world.egress.bytes_passed
    expected = noise(256, 256)[:8, :8].sum()
    assert world.fetched(client, url) == expected
    assert world.egress.bytes_passed > before


@pytest.mark.parametrize("client", HEARING)
def test_a_redirect_to_what_may_be_reached_is_followed(world: World, client: str) -> None:
    """Also to another host, for which obstore does not name the proxy's user again."""
    world.open.redirects["/moved.tif"] = world.url("http://other.example:<open>/a.tif")
    expected = noise(256, 256)[:8, :8].sum()
    assert world.fetched(client, "http://open.example:<open>/moved.tif") == expected


def means(land: Landscape, items: str) -> list[float]:
    """Means by the items of a link, in a worker."""
    return refusals_told(
        lambda: list(zb.zonal_stats(land.fields, items, "mean", bands={"nir": "B08"})["mean"])
    )


def test_items_are_read(world: World, land: Landscape) -> None:
    """The items of a link and the files that they name give what they give here."""
    url = world.url("http://open.example:<open>/land/items.json")
    remote = world.pool.submit(partial(means, land, url)).result(120)
    np.testing.assert_array_equal(remote, means(land, str(land.items)))


def test_items_that_name_what_lies_inside(world: World, land: Landscape) -> None:
    """A document that may be read leads nowhere else."""
    text = Path(land.items).read_text()
    inside = text.replace('"href": "./', f'"href": "http://127.0.0.1:{world.inner.port}/land/')
    assert inside != text
    (world.open.folder / "land" / "inside.json").write_text(inside)
    url = world.url("http://open.example:<open>/land/inside.json")
    with pytest.raises(ForbiddenAddress):
        world.pool.submit(partial(means, land, url)).result(120)
    assert world.inner.log == []


@pytest.mark.parametrize("name", ["items.parquet", "item.json"])
def test_a_bucket_of_ones_own(world: World, land: Landscape, name: str) -> None:
    """A link that says where its store answers is not heard, as pyarrow would hear it."""
    place = f"endpoint_override=127.0.0.1:{world.inner.port}&scheme=http&region=eu-west-1"
    with pytest.raises((zb.errors.ReadError, ForbiddenAddress)):
        world.pool.submit(partial(means, land, f"s3://bucket/{name}?{place}")).result(120)
    assert world.inner.log == []


def test_no_secret_is_told(world: World) -> None:
    """An error of a host that does not answer shows neither the proxy's secret nor its place."""
    with pytest.raises(zb.errors.ReadError) as caught:
        world.fetched("gdal", "https://open.example:<open>/a.tif")  # which speaks no TLS
    told = f"{caught.value} {caught.value.__cause__}"
    assert world.egress.url.split("@")[1] not in told
    assert world.egress.url.split(":")[2].split("@")[0] not in told


def test_a_refusal_of_before_is_no_reason_now(world: World) -> None:
    """A file that is missing is said to be so, whatever was refused to this worker earlier."""
    with pytest.raises(ForbiddenAddress):
        world.fetched("gdal", "http://127.0.0.1:<inner>/a.tif")
    with pytest.raises(zb.errors.PermanentReadError):
        world.fetched("gdal", "http://open.example:<open>/gone.tif")


def test_every_library_is_tried() -> None:
    """Those that hear of the proxy and those that do not are all there are."""
    assert set(CLIENTS) == {*HEARING, "urllib3", "socket"}
