"""Document: one text of HTML, in which data are data."""

from __future__ import annotations

import base64
import hashlib
import json
import re

from zonalbatch.pages.document import document, part
from zonalbatch.pages.markup import Ready, table
from zonalbatch.pages.modules import ASSETS, script

NASTY = "</script><!--<b>\u2028&\"'"


def test_data_end_no_element() -> None:
    """JSON comes back as it was, and holds no sign of markup."""
    text = document(title=NASTY, body="", styles=("theme",), entry="explorer", data={"a": NASTY})
    inner = text.split('id="data">')[1].split("</script>")[0]
    assert json.loads(inner) == {"a": NASTY}
    assert not set("<>&\u2028") & set(inner)
    assert "<title>&lt;/script&gt;" in text


def test_the_policy_names_what_is_there() -> None:
    """Script and style are those whose digests the policy has."""
    text = document(title="t", body="", styles=("theme", "map"), entry="report", data={})
    for name in ("script", "style"):
        (inner,) = re.findall(rf"<{name}>(.*?)</{name}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inner.encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in text


def test_each_module_comes_once_and_after_what_it_needs() -> None:
    """No import and no export is left; every module of the folder is part of a page."""
    text = script("report") + script("explorer")
    assert not re.search(r"^(import|export)\b", text, re.MULTILINE)
    assert "</script" not in text
    order = re.findall(r"^const module_(\w+) =", script("report"), re.MULTILINE)
    assert len(order) == len(set(order))
    for at, name in enumerate(order):
        needed = re.findall(r'from "\./(\w+)\.js"', (ASSETS / f"{name}.js").read_text())
        assert set(needed) <= set(order[:at])
    there = {file.stem for file in ASSETS.glob("*.js")}
    assert {*order, "explorer"} == there


def test_no_asset_asks_for_another_place() -> None:
    """No link, font, tile or import from elsewhere; SVG's name is no address."""
    for file in ASSETS.iterdir():
        text = file.read_text().replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?:|//\w+\.|url\(|@import|fetch\(|XMLHttp", text), file.name


def test_words_are_text() -> None:
    """Of markup, unless they say that they are markup."""
    assert "<b>" not in part("report", title="<b>", state="<b>", made="<b>")
    made = table(("<i>",), [("<b>",), (Ready("<u>x</u>"),)])
    assert "<b>" not in made
    assert "<i>" not in made
    assert "<u>x</u>" in made
