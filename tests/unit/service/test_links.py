"""Which files a question may name."""

from __future__ import annotations

from pathlib import Path

import pytest

from zonalbatch.service.links import href_of, href_within
from zonalbatch.service.refusals import Refusal


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with a file, beside a secret one and a link that leads to it."""
    folder = tmp_path / "root"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "a b.tif").touch()
    (tmp_path / "secret.tif").touch()
    (folder / "link.tif").symlink_to(tmp_path / "secret.tif")
    (folder / "up").symlink_to(tmp_path)
    (folder / "inner.tif").symlink_to(folder / "deep" / "a b.tif")
    return folder.resolve()


@pytest.mark.parametrize("url", ["https://example.org/a.tif?sig=1", "s3://bucket/a.tif"])
def test_links_into_the_web(url: str) -> None:
    """They stay as they are."""
    assert href_of(url, None) == url


@pytest.mark.parametrize("url", ["file:///deep/a%20b.tif", "file:///inner.tif"])
def test_files_below_the_root(root: Path, url: str) -> None:
    """Wherever a link within the root leads within it."""
    assert href_of(url, root) == str(root / "deep" / "a b.tif")


@pytest.mark.parametrize(
    "url",
    [
        "file:///../secret.tif", "file:///deep/../../secret.tif", "file:///%2e%2e/secret.tif",
        "file:///link.tif", "file:///up/secret.tif", "file:////etc/passwd", "file:///etc/passwd",
        "file:///deep", "file:///", "file://host/deep/a%20b.tif", "file:///*.tif",
        "file:///deep/a%00.tif", "file:///deep/[a]%20b.tif",
    ],
)  # fmt: skip
def test_files_beyond_the_root(root: Path, url: str) -> None:
    """Dots, links, encodings, folders, patterns: all as if nothing was there."""
    with pytest.raises(Refusal, match="no such file"):
        href_of(url, root)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org/a.tif", "/vsicurl/https://example.org/a.tif", "/etc/passwd", "a.tif",
        "vrt://https://example.org/a.tif", "view:overview=1:https://example.org/a.tif",
        "https://", "https:///a.tif", "data:text/plain,x", "gs://bucket/a.tif",
        "https://user:secret@example.org/a.tif", "https://example.org/a b.tif",
        "https://example.org/a\n.tif", "https://example.org/\\a.tif", "<VRTDataset/>", "",
        'GTIFF_DIR:1:https://example.org/a.tif', "zip+https://example.org/a.zip",
        "https://example.org/" + "a" * 5000,
    ],
)  # fmt: skip
def test_what_is_no_link(root: Path, url: str) -> None:
    """GDAL's names, other schemes, users, blanks: refused before anything is asked."""
    with pytest.raises(Refusal) as refused:
        href_of(url, root)
    assert refused.value.status == 400


def test_no_root() -> None:
    """Without a folder that may be read, no file is."""
    with pytest.raises(Refusal, match="files of this machine"):
        href_of("file:///a.tif", None)


def test_what_a_document_names(root: Path, tmp_path: Path) -> None:
    """Its absolute links are checked as a question's are."""
    assert href_within(str(root / "inner.tif"), root) == str(root / "deep" / "a b.tif")
    assert href_within("https://example.org/a.tif", root) == "https://example.org/a.tif"
    for href in (str(tmp_path / "secret.tif"), str(root / "link.tif"), "/etc/passwd", "a.tif"):
        with pytest.raises(Refusal):
            href_within(href, root)
    with pytest.raises(Refusal):
        href_within(str(root / "inner.tif"), None)
