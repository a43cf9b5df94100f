"""Access: what stands in documents and errors, and what is sent."""

from __future__ import annotations

import pickle
import time
from typing import Any

import pytest

from zonalbatch.errors import InputError, PassingReadError
from zonalbatch.sources.access import OPEN, access_from, planetary
from zonalbatch.sources.access.tokens import Token, Tokens

BLOB = "https://account.blob.core.windows.net/box/a/b.tif"
SAS = "st=2020-01-01T00%3A00%3A00Z&se=2020-01-02T00%3A00%3A00Z&sp=rl&sig=abc%3D"

HEADERS = {"kind": "headers", "headers": {"Authorization": "Bearer ${TOKEN}"}}
DOCUMENTS: list[Any] = [
    {"kind": "planetary-computer"},
    {"kind": "aws", "requester_pays": True, "profile": "mine", "region": "us-west-2"},
    {"kind": "aws", "anonymous": True},
    {"kind": "headers", "headers": {"Authorization": "Bearer ${TOKEN}"}, "hosts": ["a.org"]},
]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_document_makes_an_access_and_back(document: dict[str, Any]) -> None:
    """What a plan keeps is enough for a worker, and is picklable."""
    access = access_from(document)
    assert access.document == document
    assert access_from(access) is access
    assert pickle.loads(pickle.dumps(access)) == access


def test_without_a_document_files_are_open_to_all() -> None:
    """A link is opened as it stands."""
    assert access_from(None) is access_from({}) is OPEN
    assert OPEN.grant(f"{BLOB}?{SAS}").href == f"{BLOB}?{SAS}"


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("planetary_computer", "did you mean planetary-computer"),
        ({"kind": "gcs"}, "use planetary-computer, aws, headers"),
        ({"kind": "aws", "requester_pay": True}, "'requester_pay' is no key of aws"),
        ({"kind": "aws", "anonymous": True, "profile": "a"}, "choose one"),
        ({"kind": "aws", "anonymous": "yes"}, "anonymous is true or false"),
        ({"kind": "headers"}, "headers are names with texts"),
        ({"kind": "headers", "headers": {"Authorization": "Bearer s3cr3t"}}, "environment var"),
        ({"kind": "headers", "headers": {"A b": "${T}"}}, "letters, digits and -"),
        ({**HEADERS, "hosts": ["https://a.org"]}, "write it without protocol and path"),
        ({**HEADERS, "hosts": ["a.org/b"]}, "is no name of a host"),
        ({**HEADERS, "hosts": [""]}, "host '' is no name of a host"),
    ],
)
def test_what_is_wrong_is_said_without_its_value(document: Any, said: str) -> None:
    """Each refusal says what to do; a literal secret is refused and not repeated."""
    with pytest.raises(InputError, match=said) as caught:
        access_from(document)
    assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize("href", [BLOB, f"/vsicurl/{BLOB}", f"{BLOB}?{SAS}"])
def test_links_of_blobs_are_kept_bare(href: str) -> None:
    """Whatever signature a link came with, or that GDAL's name for it was given."""
    assert access_from("planetary-computer").bare(href) == BLOB


@pytest.mark.parametrize("href", ["/data/a.tif", "https://a.org/b.tif?sig=x", "s3://a/b.tif"])
def test_other_links_are_not_touched_by_the_planetary_computer(href: str) -> None:
    """They are no blobs: nothing is stripped and nothing is asked for."""
    access = access_from("planetary-computer")
    assert access.bare(href) == access.grant(href).href == href


def test_s3_is_asked_with_settings_of_its_own() -> None:
    """GDAL signs; other links are opened as they are."""
    access = access_from(DOCUMENTS[1])
    grant = access.grant("s3://bucket/a.tif")
    assert grant.href == access.grant("/vsis3/bucket/a.tif").href == "/vsis3/bucket/a.tif"
    assert grant.options == {
        "AWS_REQUEST_PAYER": "requester", "AWS_PROFILE": "mine", "AWS_REGION": "us-west-2"
    }  # fmt: skip
    assert not access.grant("https://bucket.org/a.tif").options


def test_headers_take_the_environment_of_the_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """They go to the hosts that are named, and no repr shows them."""
    access = access_from(DOCUMENTS[3])
    with pytest.raises(PassingReadError, match="TOKEN of header Authorization is not set"):
        access.grant("https://a.org/b.tif")
    monkeypatch.setenv("TOKEN", "s3cr3t\n")
    grant = access.grant("https://a.org/b.tif")
    assert grant.options == {"GDAL_HTTP_HEADERS": "Authorization: Bearer s3cr3t\r\n"}
    assert "s3cr3t" not in repr(grant) + repr(access)
    assert not access.grant("https://b.org/b.tif").options
    assert not access.grant("/data/b.tif").options
    monkeypatch.setenv("TOKEN", "a\r\nHost: b")
    with pytest.raises(PassingReadError, match="no single line"):
        access.grant("https://a.org/b.tif")


@pytest.mark.parametrize(
    ("host", "link", "sent"),
    [
        ("Data.Example.org", "https://data.example.org/b.tif", True),
        ("data.example.org", "https://DATA.example.org/b.tif", True),
        ("a.org", "https://a.org:8443/b.tif", True),
        ("a.org:8443", "https://a.org:8443/b.tif", True),
        ("a.org:443", "https://a.org/b.tif", True),
        ("a.org:8443", "https://a.org/b.tif", False),
        ("a.org:443", "http://a.org/b.tif", False),
        ("a.org", "https://a.org@b.org/b.tif", False),
        ("a.org", "https://b.a.org/b.tif", False),
    ],
)
def test_headers_go_to_their_hosts(
    monkeypatch: pytest.MonkeyPatch, host: str, link: str, sent: bool
) -> None:
    """Letters are as good as capitals; a name stands for all its ports, one with a port for it."""
    monkeypatch.setenv("TOKEN", "s3cr3t")
    assert bool(access_from({**HEADERS, "hosts": [host]}).grant(link).options) is sent


def test_a_refused_token_of_a_link_with_a_query(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is forgotten as that of any other link is."""
    began = time.time() - 60
    texts = iter(["sig=one", "sig=two"])
    tokens = Tokens[Any](lambda key: Token(next(texts), began, began + 3600))
    monkeypatch.setattr(planetary, "_tokens", lambda: tokens)
    access = access_from("planetary-computer")
    grant = access.grant(f"{BLOB}?version=3")
    assert grant.href == f"{BLOB}?version=3&sig=one"
    access.refused(grant)
    assert access.grant(BLOB).href == f"{BLOB}?sig=two"
