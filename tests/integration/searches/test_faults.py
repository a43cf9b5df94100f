"""APIs that fail now and then, or send what is broken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import zonalbatch as zb
from tests.made.apis import free_port, scene
from tests.made.faulty_api import Fault, FaultyApi, changed, cut_short, reset, served, status
from zonalbatch.errors import PassingReadError, PermanentReadError, SourceError
from zonalbatch.searches import connection

ITEMS = [scene(f"scene-{i:02}", 0.1 * i, 50) for i in range(25)]


@pytest.fixture
def api() -> Iterator[FaultyApi]:
    """25 items in pages of 10."""
    with served(FaultyApi(ITEMS)) as made:
        yield made


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits between tries are left out."""
    quick = connection.RETRY.new(backoff_factor=0, backoff_jitter=0)
    monkeypatch.setattr(connection, "RETRY", quick)


def names(items: list[dict[str, Any]]) -> list[str]:
    """Ids of items."""
    return [item["id"] for item in items]


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize(
    "faults",
    [
        [status(502), status(503)],
        [reset, reset],
        [status(429, Retry_After="1")],
        [status(500), reset, status(504)],
    ],
    ids=["502 and 503", "resets", "429", "mixed"],
)
@pytest.mark.parametrize("methods", [("POST",), ("GET",)])
def test_faults_that_pass_are_survived(
    api: FaultyApi, faults: list[Fault], methods: tuple[str, ...]
) -> None:
    """Each page is asked for again until it comes, by GET as by POST; nothing is lost."""
    api.methods, api.faults = methods, list(faults)
    assert names(zb.search(api.url)) == names(ITEMS)
    assert len(api.asked) == 3 + len(faults)


def test_waits_grow_and_the_server_may_set_them() -> None:
    """The wait doubles with each failure, and Retry-After is heeded; six more tries at most."""
    retry, waits = connection.RETRY.new(backoff_jitter=0), []
    for _ in range(6):
        retry = retry.increment("POST", "/search", error=None, response=_Answer())  # type: ignore[arg-type]
        waits.append(retry.get_backoff_time())
    assert waits == [0, 1, 2, 4, 8, 16]
    assert retry.respect_retry_after_header
    assert connection.RETRY.is_retry("POST", 429, has_retry_after=True)


class _Answer:
    """As much of an answer of urllib3 as counting its failures takes."""

    status, headers = 503, dict[str, str]()

    def get_redirect_location(self) -> bool:
        """It leads nowhere else."""
        return False


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("code", [429, 503])
def test_what_does_not_pass_is_told(api: FaultyApi, code: int) -> None:
    """After all tries the status stands in one sentence with the API's name."""
    api.faults = [status(code)] * 20
    with pytest.raises(PassingReadError, match=f"{api.url} answered {code} .*again later") as told:
        zb.search(api.url)
    assert "\n" not in str(told.value)
    assert len(api.asked) == 7


@pytest.mark.usefixtures("hasty")
def test_an_api_that_is_not_there_is_told() -> None:
    """Nobody listens: one sentence, without the inner words of libraries."""
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(PassingReadError, match=rf"{url} cannot be reached \(.*refused\)"):
        zb.search(url)


def without(key: str) -> Callable[[dict[str, Any]], None]:
    """Takes a key from the second feature of a page."""
    return lambda page: page["features"][1].pop(key)


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (cut_short, "it is no JSON"),
        (changed(without("geometry")), "item 'scene-01' has no geometry"),
        (changed(without("assets")), "item 'scene-01' has no assets"),
        (changed(lambda page: page.pop("features")), "it holds no features"),
        (changed(lambda page: page.update(features=[7])), "item 7 has no keys"),
    ],
    ids=["half a page", "no geometry", "no assets", "no features", "no item"],
)
def test_a_broken_page_is_told(api: FaultyApi, fault: Fault, why: str) -> None:
    """It says which API sent what, and what to do."""
    api.faults = [fault]
    with pytest.raises(PermanentReadError, match=rf"{api.url} sent a broken page \({why}"):
        zb.search(api.url)


def test_pages_that_go_round_are_told(api: FaultyApi) -> None:
    """A next page that was there already is an error, not a search without an end."""
    link = api.found({})["links"][0]
    circle = changed(lambda page: page.update(links=[link]))
    api.faults = [circle, circle, circle]
    with pytest.raises(PermanentReadError, match="leads in a circle"):
        zb.search(api.url)


@pytest.mark.parametrize(
    ("code", "words"), [(400, "correct what is asked"), (403, "credentials"), (404, "address")]
)
def test_a_refusal_is_told(api: FaultyApi, code: int, words: str) -> None:
    """What the API will not do is not asked for again."""
    api.faults = [status(code)]
    with pytest.raises(SourceError, match=rf"answered {code} \(busy\).*{words}"):
        zb.search(api.url)
    assert len(api.asked) == 1


def test_what_an_api_ignores_is_seen_to_here(api: FaultyApi) -> None:
    """This one heeds neither place, time, ids nor collections: what does not fit is dropped."""
    api.items = [
        scene("right", 5, 50, day="2024-06-30"),
        scene("late", 5, 50, day="2024-07-01"),
        scene("early", 5, 50, day="2024-05-31"),
        scene("far", 50, 50, day="2024-06-15"),
        scene("other", 5, 50, day="2024-06-15", collection="landsat"),
    ]
    month = scene("month", 5, 50, day="2024-05-15")
    month["properties"] |= {
        "start_datetime": "2024-05-15T00:00:00Z", "end_datetime": "2024-06-14T00:00:00Z",
    }  # fmt: skip
    api.items.append(month)
    found = zb.search(api.url, collections="s2", datetime="2024-06", bbox=[5, 50, 6, 51])
    assert names(found) == ["right", "month"]
    assert names(zb.search(api.url, ids=["far", "late"])) == ["late", "far"]


def test_max_items_holds_over_all_places(api: FaultyApi) -> None:
    """Never more come than are wanted, and no more pages are asked for than that takes."""
    assert names(zb.search(api.url, max_items=12)) == names(ITEMS)[:12]
    assert len(api.asked) == 2
    assert len(zb.search(api.url, bbox=[179, -80, -179, 80], max_items=1)) == 0


@pytest.mark.parametrize("key", ["query", "filter", "sortby"])
def test_what_an_api_may_ignore_is_refused(api: FaultyApi, key: str) -> None:
    """If it says what it can, and this is not of it, then it is not asked."""
    value = {"query": "eo:cloud_cover<20", "filter": "eo:cloud_cover < 20", "sortby": "-datetime"}
    with pytest.raises(SourceError, match=f"does not say that it knows {key}"):
        zb.search(api.url, **{key: value[key]})  # type: ignore[arg-type]
    api.conforms_to = ()
    zb.search(api.url, **{key: value[key]})  # type: ignore[arg-type]
    assert key in api.asked[0]


def test_filters_go_in_the_language_of_the_method(api: FaultyApi) -> None:
    """CQL2 as JSON by POST, as text by GET, whichever of them was given."""
    api.conforms_to = ("https://api.stacspec.org/v1.0.0-rc.2/item-search#filter",)
    tree = {"op": "<", "args": [{"property": "eo:cloud_cover"}, 20]}
    zb.search(api.url, filter="eo:cloud_cover < 20", max_items=1)
    assert api.asked.pop()["filter"] == tree
    api.methods = ("GET",)
    zb.search(api.url, filter=tree, max_items=1)
    asked = api.asked.pop()
    assert (asked["filter"], asked["filter-lang"]) == ("eo:cloud_cover < 20", "cql2-text")


def test_a_signature_is_never_told(api: FaultyApi) -> None:
    """The query of an API's URL stands in no error and no note."""
    with pytest.raises(SourceError) as told:
        zb.search(f"{api.url}/?token=secret", filter="a = 1")
    assert "secret" not in str(told.value)
    with pytest.raises(SourceError) as refused:
        zb.search("s3://bucket/api?token=secret")
    assert "secret" not in str(refused.value)


def test_what_is_no_api_is_told(api: FaultyApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page of another kind, and a catalog that cannot search."""
    api.methods = ()
    with pytest.raises(SourceError, match="a catalog without a search"):
        zb.search(api.url)
    monkeypatch.setattr(FaultyApi, "landing", lambda self: {"hello": "world"})
    with pytest.raises(SourceError, match="is no STAC API"):
        zb.search(api.url)
