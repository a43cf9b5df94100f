"""Settings of the service: by the environment, checked, and told in the README."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from zonalbatch.errors import InputError
from zonalbatch.service.settings import Settings, settings_here

README = Path(__file__).parents[3] / "README.md"


def test_each_setting_is_in_the_readme() -> None:
    """By the name of its variable, in the section on the service."""
    text = README.read_text(encoding="utf-8").partition("## Over HTTP")[2].partition("\n## ")[0]
    missing = [name for name in Settings.model_fields if f"`{name.upper()}`" not in text]
    assert missing == []


def test_by_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Lists are separated by commas, sizes have units, keys are secret."""
    for name, value in {
        "ROOT": str(tmp_path), "HOSTS": "example.org, *.example.com", "KEYS": "a,b",
        "BODY": "1KiB", "SIGN": '{"kind": "aws", "requester_pays": true}',
    }.items():  # fmt: skip
        monkeypatch.setenv(f"ZONALBATCH_SERVICE_{name}", value)
    settings = Settings()
    assert settings.root == tmp_path
    assert settings.hosts == ("example.org", "*.example.com")
    assert [key.get_secret_value() for key in settings.keys] == ["a", "b"]
    assert settings.body == 1024
    assert settings.sign == {"kind": "aws", "requester_pays": True}
    assert "a" not in repr(settings.keys[0])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECONDS", "soon"),
        ("SECONDS", "0"),
        ("ROOT", "/nowhere"),
        ("BODY", "much"),
        ("WORKERS", "-1"),
        ("SECONDS", "1e309"),
        ("KEYS", ""),
        ("HOSTS", " , "),
        ("HOSTS", "http://example.org/"),
        ("PRIVATE", "10.0.0.0/99"),
        ("SIGN", '{"kind": "foo"}'),
    ],
)
def test_what_is_no_setting(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """The variable is named."""
    monkeypatch.setenv(f"ZONALBATCH_SERVICE_{name}", value)
    with pytest.raises(ValidationError) as error:
        Settings()
    assert error.value.errors()[0]["loc"] == (name.lower(),)


def test_a_name_that_is_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that was meant to close the service, and would leave it open, is told."""
    monkeypatch.setenv("ZONALBATCH_SERVICE_KEY", "abc")
    with pytest.raises(InputError, match=r"ZONALBATCH_SERVICE_KEY is no setting.*SERVICE_KEYS"):
        settings_here()


def test_settings_that_do_not_agree(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One sentence, without a name that is none."""
    monkeypatch.setenv("ZONALBATCH_SERVICE_ROOT", str(tmp_path))
    monkeypatch.setenv("ZONALBATCH_SERVICE_JOBS", str(tmp_path / "jobs"))
    with pytest.raises(InputError, match=r"^jobs lies below root"):
        settings_here()
