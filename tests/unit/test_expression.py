"""Laws of the language of expressions."""

from __future__ import annotations

import contextlib
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zonalbatch.errors import ExpressionError
from zonalbatch.expression import FUNCTIONS, MAX_LENGTH, check, parse

RED = np.array([0.0, 1.0, 2.0, 400.0, np.nan])
NIR = np.array([0.0, 3.0, 2.0, 100.0, 1.0])
VALUES = {"red": RED, "nir": NIR}


def test_ndvi_equals_numpy() -> None:
    """An expression is what numpy computes, bit for bit."""
    with np.errstate(all="ignore"):
        expected = (NIR - RED) / (NIR + RED)
    np.testing.assert_array_equal(parse("(nir - red) / (nir + red)")(VALUES), expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-red ** 2", [-0.0, -1.0, -4.0, -160000.0, np.nan]),
        ("red > 1", [0.0, 0.0, 1.0, 1.0, np.nan]),
        ("red != 1", [1.0, 0.0, 1.0, 1.0, np.nan]),
        ("where(red == 0, 7, nir / red)", [7.0, 3.0, 1.0, 0.25, np.nan]),
        ("min(red, nir, 2)", [0.0, 1.0, 2.0, 2.0, np.nan]),
        ("max(red, nir)", [0.0, 3.0, 2.0, 400.0, np.nan]),
        ("abs(-nir) + sqrt(nir) * 0", [0.0, 3.0, 2.0, 100.0, 1.0]),
        ("log(exp(nir * 0 + 1))", [1.0, 1.0, 1.0, 1.0, 1.0]),
        ("where(1 > 0, 2, nir)", [2.0, 2.0, 2.0, 2.0, 2.0]),
        ("(0 < nir) * (nir < 3)", [0.0, 0.0, 1.0, 0.0, 1.0]),
    ],
)
def test_value(text: str, expected: list[float]) -> None:
    """Operators bind as in Python and NaN is never hidden."""
    result = parse(text)(VALUES)
    assert result.dtype == np.float64
    np.testing.assert_allclose(result, expected, rtol=1e-15)


def test_integers_do_not_wrap() -> None:
    """Raw uint8 and uint16 values are computed in float64."""
    values = {"a": np.array([1], "uint8"), "b": np.array([2], "uint16")}
    assert parse("a - b")(values)[0] == -1.0
    assert parse("a")(values).dtype == np.float64


def test_comparison_with_nothing_is_nothing() -> None:
    """0/0 does not pass for a class."""
    assert np.isnan(parse("where(nir / red > 1, 1, 0)")(VALUES)[0])


@pytest.mark.parametrize("text", ["nir / red", "exp(nir * 1000)", "log(-nir)", "(-nir) ** 0.5"])
def test_no_warning(text: str) -> None:
    """What cannot be computed is NaN or inf, in silence (warnings are errors here)."""
    assert parse(text)(VALUES).shape == RED.shape


def test_names_in_order_of_first_use() -> None:
    """Each band is named once, where it is first used."""
    assert parse("b2 + a1 * b2 - c").names == ("b2", "a1", "c")


def test_bare_band() -> None:
    """A bare name is an expression that knows its band."""
    assert parse(" (red) ").band == "red"
    assert parse("red * 1").band is None


def test_canonical_ignores_spacing() -> None:
    """The fingerprint sees the tree, not the text."""
    same = ["(nir-red)/(nir+red)", " ( nir - red ) /\n(nir + red)", "((nir - red)) / ((nir + red))"]
    assert len({parse(text).canonical for text in same}) == 1
    assert parse("a - b - c").canonical != parse("a - (b - c)").canonical


@pytest.mark.parametrize(
    "text",
    [
        "red.real",
        "red[0]",
        "lambda: red",
        "lambda red: red",
        "eval(red)",
        "__import__(red)",
        "where(red)(nir)",
        "'red'",
        '"red"',
        "(a := red)",
        "[red]",
        "{red}",
        "red, nir",
        "red if nir else red",
        "red and nir",
        "not red",
        "+red",
        "~red",
        "red % 2",
        "red // 2",
        "red @ nir",
        "red << 2",
        "red is nir",
        "red in nir",
        "0 < red < 1",
        "red + True",
        "red + None",
        "red + ...",
        "red + 1j",
        "red + 1e999",
        "red + 1" + "0" * 400,
        "max(*red)",
        "max(**red)",
        "max(red, nir=nir)",
        "max(red)",
        "where(red, nir)",
        "sqrt(red, nir)",
        "f'{red}'",
        "red # nir",
        "red; nir",
        "await red",
        "yield red",
        "1 + 1",
        "",
        " ",
        "red +",
        "red\x00",
        "\ud800",
        "1and red",
        "(" * 1000 + "red" + ")" * 1000,
        "-" * 4000 + "red",
        "-" * 65 + "red",
        "red" + "+red" * 1000,
        "red" + "**red" * 800,
        "a" * (MAX_LENGTH + 1),
    ],
)
def test_refused(text: str) -> None:
    """What is not in the language is refused, whatever it would do."""
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    assert "\n" not in str(caught.value)


def test_not_a_text() -> None:
    """A number from YAML is refused, not taken for a text."""
    with pytest.raises(ExpressionError, match="is a text, not 7"):
        parse(7)  # type: ignore[arg-type]


def test_messages() -> None:
    """Errors show the text, the place and the nearest name."""
    with pytest.raises(ExpressionError, match=r"unknown function 'sqr' \(did you mean 'sqrt'"):
        parse("1 + sqr(red)")
    with pytest.raises(ExpressionError, match=r"'red \+ nir\.x' .* column 7; it may have band"):
        parse("red + nir.x")
    with pytest.raises(ExpressionError, match=r"unknown band 'rad' \(did you mean 'red'"):
        check(parse("rad + nir"), ["red", "nir"])
    check(parse("red + nir"), ["red", "nir"])


def test_pickles() -> None:
    """An expression travels."""
    expression = parse("where(a > 1, a, min(b, 2))")
    assert pickle.loads(pickle.dumps(expression)) == expression


@given(st.text(max_size=60))
def test_any_text_parses_or_is_refused(text: str) -> None:
    """No text escapes the language's own error."""
    with contextlib.suppress(ExpressionError):
        parse(text)


_PIECES = ["a", "b", "1", "2.5", "+", "-", "*", "**", "/", "(", ")", ",", "<", "==", "!=", ".",
           " ", "and", "lambda", "if", "else", "is", "e9", "\n", "0x", "_", *FUNCTIONS]  # fmt: skip


@given(st.lists(st.sampled_from(_PIECES), max_size=40).map("".join))
def test_any_near_miss_parses_or_is_refused(text: str) -> None:
    """What parses has a canonical text that means the same and computes in silence."""
    try:
        expression = parse(text)
    except ExpressionError:
        return
    again = parse(expression.canonical)
    assert again.canonical == expression.canonical
    assert again.tree == expression.tree
    values = {name: np.array([0.0, -1.0, np.nan, np.inf]) for name in expression.names}
    np.testing.assert_array_equal(expression(values), again(values))
