"""Which hosts may be reached: by name, by address, by what a name turns out to be."""

from __future__ import annotations

import asyncio
import pickle
import time
from collections.abc import Sequence
from dataclasses import replace

import pytest

from zonalbatch.errors import InputError, PassingReadError
from zonalbatch.service.egress.addresses import Addresses, ForbiddenAddress
from zonalbatch.service.egress.names import target_of

PUBLIC = "93.184.215.14"
NAMES = {
    "example.org": [PUBLIC, "2606:2800:21f:cb07:6820:80da:af6b:8b2c"],
    "data.example.org": [PUBLIC],
    "xn--bcher-kva.example": [PUBLIC],
    "inner.example": ["10.1.2.3"],
    "mixed.example": [PUBLIC, "127.0.0.1"],
    "mapped.example": ["::ffff:10.1.2.3"],
    "metadata.example": ["169.254.169.254"],
    "any.example": ["0.0.0.0"],
    "minio.local": ["192.168.1.9"],
    "localhost": ["127.0.0.1", "::1"],
}
"""Name -> what it leads to."""


def look_up(name: str, port: int) -> Sequence[str]:
    """As a name server with NAMES would."""
    if name not in NAMES:
        raise OSError("no such name")
    return NAMES[name]


def reached(host: str, port: int = 80, *, allowed: str = "", private: str = "") -> list[str]:
    """The addresses of a host by two lists, of patterns apart by spaces."""
    addresses = replace(Addresses.of(allowed.split(), private.split()), resolve=look_up)
    return list(map(str, asyncio.run(addresses.resolved(host, port))))


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.8.8.8", "10.0.0.1", "172.16.0.1", "192.168.0.1", "100.64.0.1",
        "169.254.169.254", "0.0.0.0", "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.0.1",
        "198.18.0.1", "203.0.113.1",
        "::", "::1", "[::1]", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "fec0::1",
        "ff02::1", "2001:db8::1",
        "[::ffff:127.0.0.1]", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe", "::127.0.0.1", "::7f00:1",
        "64:ff9b::127.0.0.1", "64:ff9b::a00:1", "64:ff9b:1::a00:1", "2002:7f00:1::",
        "2002:a00:1::1", "2001:0:7f00:1::", "2001::f5ff:fffe",
        "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.1", "127.0.1", "017700000001",
        "127.0.0.1.", "127.0.0.01", "1.2.3.4.5", "256.0.0.1", "0x",
        "\uff11\uff12\uff17.0.0.1", "127\u30020\u30020\u30021",
        "localhost", "LOCALHOST", "localhost.", "inner.example", "mixed.example", "mapped.example",
        "metadata.example", "any.example",
        "user@example.org", "example.org@127.0.0.1", "example.org..", ".example.org",
        "exa mple.org", "example.org\n", "example.org/x", "example.org#x", "example.org\\x",
        "", ".", "[", "[]",
        "a" * 64 + ".org", "a." * 130 + "org",
    ],
)  # fmt: skip
def test_what_is_no_public_host_is_refused(host: str) -> None:
    """By address in any spelling, by a name any of whose addresses is not public, by no name."""
    with pytest.raises(ForbiddenAddress):
        reached(host)


@pytest.mark.parametrize(
    ("host", "found"),
    [
        ("example.org", NAMES["example.org"]),
        ("EXAMPLE.org.", NAMES["example.org"]),
        ("bücher.example", [PUBLIC]),
        (PUBLIC, [PUBLIC]),
        ("[2606:2800:21f::1]", ["2606:2800:21f::1"]),
        (f"::ffff:{PUBLIC}", [PUBLIC]),
        ("64:ff9b::5db8:d70e", ["64:ff9b::5db8:d70e"]),
    ],
)
def test_public_hosts_are_reached_where_nothing_is_listed(host: str, found: list[str]) -> None:
    """By the addresses that were looked at; names have one form, whatever way they are written."""
    assert reached(host) == found


@pytest.mark.parametrize(
    ("allowed", "private", "host", "port", "open_"),
    [
        ("example.org", "", "example.org", 443, True),
        ("example.org", "", "EXAMPLE.ORG.", 443, True),
        ("example.org", "", "data.example.org", 443, False),
        ("example.org", "", PUBLIC, 443, False),
        ("*.example.org", "", "data.example.org", 443, True),
        ("*.example.org", "", "example.org", 443, False),
        ("*.ample.org", "", "example.org", 443, False),
        ("Bücher.example", "", "xn--bcher-kva.example", 443, True),
        ("93.184.0.0/16", "", PUBLIC, 443, True),
        ("93.184.0.0/16", "", "example.org", 443, False),
        ("", "", "example.org", 8443, False),
        ("", "", "example.org", 22, False),
        ("example.org", "", "example.org", 8443, False),
        ("example.org:8443", "", "example.org", 8443, True),
        ("example.org:8443", "", "example.org", 443, False),
        ("inner.example 10.0.0.0/8", "", "inner.example", 80, False),
        ("10.0.0.0/8", "", "10.1.2.3", 80, False),
        ("", "10.0.0.0/8", "10.1.2.3", 80, True),
        ("", "10.0.0.0/8", "inner.example", 80, True),
        ("", "10.0.0.0/8", "mapped.example", 80, True),
        ("", "10.0.0.0/8", "minio.local", 80, False),
        ("", "10.0.0.0/8", "10.1.2.3", 9000, False),
        ("", "10.0.0.0/8:9000", "10.1.2.3", 9000, True),
        ("", "10.0.0.0/8:9000", "inner.example", 9000, True),
        ("", "10.0.0.0/8:9000", "example.org", 9000, False),
        ("", "10.0.0.0/8:9000", "minio.local", 9000, False),
        ("example.org", "10.0.0.0/8", "inner.example", 80, False),
        ("example.org", "10.0.0.0/8", "10.1.2.3", 80, True),
        ("example.org", "minio.local:9000", "minio.local", 9000, True),
        ("", "minio.local:9000", "minio.local", 9000, True),
        ("", "minio.local:9000", "minio.local", 80, False),
        ("", "minio.local:9000", "192.168.1.9", 9000, False),
        ("", "127.0.0.1:9000", "127.0.0.1", 9000, True),
        ("", "127.0.0.1:9000", "localhost", 9000, False),  # ::1 is none of them
        ("", "[::1]:9000", "::1", 9000, True),
        ("", "::1", "[::1]", 80, True),
        ("", "metadata.example", "metadata.example", 80, False),
        ("", "any.example", "any.example", 80, False),
        ("", "169.254.169.254", "metadata.example", 80, True),
    ],
)  # fmt: skip
def test_what_lists_open(allowed: str, private: str, host: str, port: int, open_: bool) -> None:
    """A list of names closes all others, with their ports; only the second opens private ones."""
    if open_:
        assert reached(host, port, allowed=allowed, private=private)
        return
    with pytest.raises(ForbiddenAddress):
        reached(host, port, allowed=allowed, private=private)


@pytest.mark.parametrize(
    "text",
    ["", "*", "*.*.org", "a.*.org", "example.org:0", "example.org:65536", "example.org:http",
     "10.0.0.1/8", "10.0.0.0/33", "2130706433", "0x7f.1", "http://example.org", "a b", "[::1"],
)  # fmt: skip
def test_what_is_no_pattern(text: str) -> None:
    """A list that cannot be read opens nothing: it is an error, and says how it is written."""
    with pytest.raises(InputError, match=r"example\.org:8443"):
        Addresses.of([text])


def test_a_refusal_tells_nothing_of_what_lies_inside() -> None:
    """It is the same for a private name as for one that is not listed; it survives pickling."""
    with pytest.raises(ForbiddenAddress) as inner:
        reached("inner.example")
    with pytest.raises(ForbiddenAddress) as unlisted:
        reached("inner.example", allowed="example.org")
    assert "10.1.2.3" not in str(inner.value)
    assert str(inner.value) == str(unlisted.value)
    assert str(pickle.loads(pickle.dumps(inner.value))) == str(inner.value)


def test_an_unlisted_name_is_not_looked_up() -> None:
    """Whoever asks learns nothing of names, and no name server of who asks."""
    with pytest.raises(ForbiddenAddress):
        reached("unknown.example", allowed="example.org")


def test_an_unknown_name_is_said_to_be_so() -> None:
    """It is no refusal: the name may be known later."""
    with pytest.raises(PassingReadError, match=r"unknown\.example could not be found"):
        reached("unknown.example")


def test_a_silent_name_server_is_not_waited_for() -> None:
    """Looking up has a limit, though the thread that does it cannot be stopped."""

    def look_up_late(name: str, port: int) -> Sequence[str]:
        time.sleep(0.5)
        return [PUBLIC]

    slow = Addresses(resolve=look_up_late, seconds=0.01)
    with pytest.raises(PassingReadError, match="could not be found"):
        asyncio.run(slow.resolved("example.org", 80))


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://example.org/a.tif", ("example.org", 80)),
        ("https://example.org", ("example.org", 443)),
        ("https://[::1]:8443/a", ("::1", 8443)),
    ],
)
def test_where_a_url_leads(url: str, target: tuple[str, int]) -> None:
    """To a host, and to the port of its scheme if it names none."""
    assert target_of(url) == target


@pytest.mark.parametrize(
    "url",
    ["ftp://example.org", "gopher://example.org", "file:///etc/passwd", "http://", "example.org",
     "http://me@example.org", "http://me:secret@example.org", "http://example.org\\@127.0.0.1/",
     "http://exam\tple.org/", "http://example.org:port/", "http://example.org:99999/",
     "http://[::1/"],
)  # fmt: skip
def test_urls_that_are_not_asked_for(url: str) -> None:
    """Other schemes, users, and what programs read differently."""
    with pytest.raises(ForbiddenAddress):
        asyncio.run(Addresses().checked(url))
