"""Kinds: what every kind of cluster has, by which a new one is seen to be whole."""

from __future__ import annotations

import gc
import inspect
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any, get_args

import pytest

from tests.made.apis import free_port
from zonalbatch.clusters import KINDS, open_client
from zonalbatch.errors import ClusterError, ZonalbatchError
from zonalbatch.job import Job
from zonalbatch.job.clusters import ClusterKeys


class Unmakable:
    """A cluster that cannot be made."""

    def __init__(self) -> None:
        raise OSError("no quota is left")


def _nobody() -> str:
    return f"tcp://127.0.0.1:{free_port()}"


UNHAD: dict[str, Callable[[], dict[str, Any]]] = {
    "address": lambda: {"address": _nobody()},
    "listen": lambda: {"address": "tcp://192.0.2.1:8786", "dashboard": ":0"},
    "gateway": lambda: {"address": _nobody().replace("tcp", "http"), "workers": 1},
    "slurm": lambda: {"workers": 1},
    "custom": lambda: {"class": Unmakable},
}
"""A cluster of each kind that cannot be had here."""


def _kinds(keys: type) -> tuple[str, ...]:
    return get_args(inspect.get_annotations(keys, eval_str=True)["kind"])


def test_keys_and_openers() -> None:
    """Each kind that a job may name has an opener, and each opener its keys."""
    named = set(get_args(get_args(ClusterKeys)[0]))
    assert set(KINDS) == named
    for opener in KINDS.values():
        assert list(inspect.signature(opener).parameters) == ["cluster", "memory", "wait"]


def test_the_schema() -> None:
    """Each kind is in the JSON Schema of jobs, and no other."""
    schema = Job.schema_json()
    found = set()
    for keys in KINDS:
        kind = schema["$defs"][keys.__name__]["properties"]["kind"]
        found |= set(kind["enum"] if "enum" in kind else [kind["const"]])
        assert schema["$defs"][keys.__name__]["additionalProperties"] is False
    assert found == {kind for keys in KINDS for kind in _kinds(keys)}


@pytest.fixture
def settled() -> Iterator[None]:
    """Takes away what a failed attempt leaves: a socket that could not be bound is not closed."""
    yield
    with warnings.catch_warnings(action="ignore", category=ResourceWarning):
        gc.collect()


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("kind", UNHAD)
def test_a_cluster_that_cannot_be_had(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence says which, and the run could be tried again."""
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr("zonalbatch.clusters.address.ANSWER", 1.0)
    keys: Any = next(keys for keys in KINDS if kind in _kinds(keys))
    cluster = keys.model_validate({"kind": kind} | UNHAD[kind](), context={"allow_code": True})
    with pytest.raises(ClusterError) as raised, open_client(cluster, 2**30):
        pass
    assert "\n" not in str(raised.value)
    assert not str(raised.value).endswith(".")


def test_every_kind_is_tried() -> None:
    """A new kind is to have its line above; a local cluster can always be had."""
    tried = {keys for keys in KINDS if set(_kinds(keys)) & {*UNHAD, "local"}}
    assert tried == set(KINDS)


@pytest.mark.parametrize(
    ("kind", "package"), [("gateway", "dask_gateway"), ("slurm", "dask_jobqueue")]
)
def test_packages_that_are_not_installed(
    kind: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How to install what is missing is told, and nothing was computed."""
    monkeypatch.setitem(sys.modules, package, None)
    keys = next(keys for keys in KINDS if kind in _kinds(keys))
    cluster = keys(kind=kind, workers=1, **({"address": "http://a"} if kind == "gateway" else {}))
    with (
        pytest.raises(ZonalbatchError, match=r"pip install 'zonalbatch\[clusters\]'") as raised,
        open_client(cluster, 2**30),
    ):
        pass
    assert raised.value.exit_code == 2
