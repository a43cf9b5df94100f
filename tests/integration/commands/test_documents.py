"""`schema` and `validate`: the job as a document."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import yaml

import zonalbatch as zb
from tests.made.commands import Command
from tests.made.jobs import amend


class TestDocuments:
    """schema and validate."""

    def test_schema(self, here: Command, job: Path) -> None:
        """JSON Schema of draft 2020-12 in which every key is described; a job is valid by it."""
        code, out, err = here("schema")
        assert (code, err) == (0, "")
        schema = json.loads(out)
        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        assert schema["type"] == "object"
        assert set(schema["required"]) == {"zones", "source", "output"}
        assert schema["else"] == {"required": ["bands"]}  # which data sets know
        assert schema["additionalProperties"] is False
        assert set(zb.Job.model_fields) == set(schema["properties"])
        for key, about in schema["properties"].items():
            assert about.get("description") or about.get("$ref"), key
        self.assert_all_references_lead_somewhere(schema)
        jsonschema.Draft202012Validator.check_schema(schema)
        jsonschema.validate(yaml.safe_load(job.read_text()), schema)

    @staticmethod
    def assert_all_references_lead_somewhere(schema: dict[str, Any]) -> None:
        """Each $ref is in $defs."""

        def references(value: Any) -> set[str]:
            if isinstance(value, dict):
                own = {value["$ref"]} if "$ref" in value else set()
                return own.union(*map(references, value.values()))
            return set().union(*map(references, value)) if isinstance(value, list) else set()

        assert references(schema) <= {f"#/$defs/{name}" for name in schema["$defs"]}

    def test_validate(self, here: Command, job: Path) -> None:
        """It says what the job makes, and opens neither zones nor rasters."""
        source = {"kind": "stac", "items": "nowhere.json"}
        amend(job, zones={"path": "nowhere.parquet"}, source=source)
        code, out, err = here("validate", job)
        assert (code, err) == (0, "")
        assert "2 measurements × 7 statistics" in out
        assert not (job.parent / "out").exists()

    def test_validate_refuses(self, here: Command, job: Path) -> None:
        """Unknown statistics are refused too, with the exit code of invalid input."""
        amend(job, statistics=["meen"])
        code, out, err = here("validate", job)
        assert (code, out) == (2, "")
        assert "did you mean 'mean'" in err

    def test_several_problems_are_told_at_once(self, here: Command, job: Path) -> None:
        """Problems are told in one line each, so that a document is mended in one go."""
        amend(job, coverage="centre", limitz={})
        code, _, err = here("validate", job)
        assert code == 2
        assert len(err.splitlines()) == 2
        assert "coverage" in err
        assert "limitz" in err
