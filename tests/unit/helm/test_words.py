"""What the chart says of itself: versions, values, schema, notes."""

import json
import runpy
from collections.abc import Iterator
from typing import Any

import helm_python
import jsonschema
import pytest
import yaml

import zonalbatch
from tests.made.chart import CHART, MODES, VARIANTS, job_document, merged, notes, rendered
from zonalbatch.job import Job
from zonalbatch.service.settings import Settings

HELM = CHART.parent
TEXT = (CHART / "values.yaml").read_text()
VALUES = yaml.safe_load(TEXT)
SCHEMA = json.loads((CHART / "values.schema.json").read_text())
MAKER = runpy.run_path(str(HELM / "make_readme.py"))
MEANINGS = dict(MAKER["meanings"](TEXT))


def _described(schema: dict[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """Every key that a schema names, with dots, and what it says of it."""
    for name, key in schema.get("properties", {}).items():
        yield above + name, key["description"]
        yield from _described(key, f"{above}{name}.")


def _leaves(values: dict[str, Any], above: str = "") -> Iterator[str]:
    for name, value in values.items():
        whole = not isinstance(value, dict) or not value or f"{above}{name}" in MEANINGS
        yield from [above + name] if whole else _leaves(value, f"{above}{name}.")


def test_chart_is_of_this_version() -> None:
    """appVersion, by which the image is found, is the version of zonalbatch."""
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert chart["appVersion"] == zonalbatch.__version__


def test_each_value_has_a_comment() -> None:
    """There is no value without a meaning, nor a meaning without a value."""
    assert list(MEANINGS) == list(_leaves(VALUES))


def test_readme_has_the_values() -> None:
    """The table in helm/README.md is the one that values.yaml gives; else run make_readme.py."""
    readme = (HELM / "README.md").read_text()
    assert MAKER["renewed"](readme, TEXT) == readme


def test_schema_says_what_the_comments_say() -> None:
    """The schema describes every value by its comment, takes the chart's own, and asks no network
    for a part of it."""
    described = dict(_described(SCHEMA))
    assert {key: described[key] for key in MEANINGS} == MEANINGS
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    text = json.dumps(SCHEMA)
    assert text.count('"$ref": "') == text.count('"$ref": "#/definitions/')


def test_schema_is_closed() -> None:
    """Every group of values takes the keys that it names and no other."""

    def closed(schema: dict[str, Any]) -> bool:
        groups = [key for key in schema["properties"].values() if "properties" in key]
        return schema["additionalProperties"] is False and all(map(closed, groups))

    assert closed(SCHEMA)


def test_schema_names_all_settings_of_the_service() -> None:
    """What may be set of the service may be set by values, but what the chart sets itself."""
    own = {"jobs", "cluster", "keys", "job_memory"}
    settings = SCHEMA["properties"]["service"]["properties"]["settings"]["properties"]
    assert set(settings) == set(Settings.model_fields) - own


def test_values_of_the_readme_are_a_job() -> None:
    """The values file in helm/README.md renders, lints and holds a valid job."""
    block = (HELM / "README.md").read_text().partition("```yaml\n")[2].partition("```")[0]
    values = yaml.safe_load(block)
    Job(**job_document(rendered(values)))
    assert helm_python.lint(CHART, values, strict=True)["errors"] == []


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("mode", MODES)
def test_notes_name_what_is_there(mode: str, variant: str) -> None:
    """What is told after an installation names only resources that are there, by kubectl's words;
    those that the operator or the reader makes are named after them."""
    values = merged(MODES[mode], VARIANTS[variant])
    resources = rendered(values)
    there = {f"{one['kind'].lower()}/{one['metadata']['name']}" for one in resources}
    there |= {name.replace("daskjob/", "service/") + "-scheduler" for name in set(there)}
    there |= {"job/fields-zonalbatch-now"}
    told = notes(values)
    named = {word for word in told.split() if word.startswith(("job/", "service/", "deployment/"))}
    assert named <= there
    assert named or mode == "cron"
    assert "helm -n eo test fields" in told
    assert "<no value>" not in told


@pytest.mark.parametrize("mode", ["operator", "standalone", "cron"])
def test_notes_tell_where_results_are(mode: str) -> None:
    """The bucket or the claim is named, and how to go on."""
    assert "s3://results/fields" in notes(MODES[mode])
    told = notes(merged(MODES[mode], VARIANTS["claim"]))
    assert "folder results of the claim fields-zonalbatch-output" in told
    assert "goes on" in told
