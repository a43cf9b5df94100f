"""Expressions over bands: a small language, parsed into a checked tree and never run as code.

An expression is made of band names, numbers, ``+ - * / **``, a minus sign, one comparison at a
time (``< <= > >= == !=``), brackets, and the functions ``abs exp log max min sqrt where``. All
arithmetic is float64. A comparison gives 1 or 0, and NaN where either side is NaN, so that 0/0
never passes for a number.
"""

from __future__ import annotations

import ast
import difflib
import math
import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from zonalbatch.errors import ExpressionError

__all__ = ["FUNCTIONS", "MAX_DEPTH", "MAX_LENGTH", "Expression", "bare", "check", "parse"]

MAX_LENGTH = 4096
"""Longest text that is parsed, characters."""

MAX_DEPTH = 64
"""Deepest nesting of operations."""

GRAMMAR = (
    "band names, numbers, + - * / **, one comparison, brackets and the functions "
    "abs exp log max min sqrt where"
)

_FORBIDDEN = re.compile(r"[^\w\s.,()+\-*/<>=!]")
_Floats: TypeAlias = NDArray[np.float64]


def _compare(relation: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """A comparison that gives 1, 0, or NaN where a side is NaN."""

    def compared(a: Any, b: Any) -> Any:
        return np.where(np.isnan(a) | np.isnan(b), np.nan, relation(a, b))

    return compared


def _where(condition: Any, a: Any, b: Any) -> Any:
    """``a`` where the condition is not 0, else ``b``; NaN where the condition is NaN."""
    return np.where(np.isnan(condition), np.nan, np.where(condition != 0, a, b))


def _min(*args: Any) -> Any:
    """The smallest argument, cell by cell; NaN if one is NaN."""
    least = args[0]
    for other in args[1:]:
        least = np.minimum(least, other)
    return least


def _max(*args: Any) -> Any:
    """The largest argument, cell by cell; NaN if one is NaN."""
    most = args[0]
    for other in args[1:]:
        most = np.maximum(most, other)
    return most


@dataclass(frozen=True, slots=True)
class _Function:
    """One function of the language: how it is computed and how many arguments it takes."""

    compute: Callable[..., Any]
    least: int = 1
    most: int = 1


_FUNCTIONS: Mapping[str, _Function] = {
    "abs": _Function(np.abs),
    "exp": _Function(np.exp),
    "log": _Function(np.log),
    "max": _Function(_max, 2, 255),
    "min": _Function(_min, 2, 255),
    "sqrt": _Function(np.sqrt),
    "where": _Function(_where, 3, 3),
}

_INFIX: Mapping[str, Callable[..., Any]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "**": np.power,
    "<": _compare(np.less),
    "<=": _compare(np.less_equal),
    ">": _compare(np.greater),
    ">=": _compare(np.greater_equal),
    "==": _compare(np.equal),
    "!=": _compare(np.not_equal),
}

_SYMBOLS: Mapping[type[ast.AST], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.Pow: "**",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}

FUNCTIONS = tuple(_FUNCTIONS)
"""Names of the functions, sorted."""


@dataclass(frozen=True, slots=True)
class _Number:
    value: float

    def names(self) -> Iterator[str]:
        return iter(())

    def canonical(self) -> str:
        return repr(self.value)

    def evaluate(self, values: Mapping[str, NDArray[Any]]) -> Any:
        return np.float64(self.value)


@dataclass(frozen=True, slots=True)
class _Name:
    name: str

    def names(self) -> Iterator[str]:
        yield self.name

    def canonical(self) -> str:
        return self.name

    def evaluate(self, values: Mapping[str, NDArray[Any]]) -> Any:
        return np.asarray(values[self.name], dtype=np.float64)


@dataclass(frozen=True, slots=True)
class _Infix:
    symbol: str
    left: _Node
    right: _Node

    def names(self) -> Iterator[str]:
        yield from self.left.names()
        yield from self.right.names()

    def canonical(self) -> str:
        return f"({self.left.canonical()} {self.symbol} {self.right.canonical()})"

    def evaluate(self, values: Mapping[str, NDArray[Any]]) -> Any:
        return _INFIX[self.symbol](self.left.evaluate(values), self.right.evaluate(values))


@dataclass(frozen=True, slots=True)
class _Minus:
    of: _Node

    def names(self) -> Iterator[str]:
        return self.of.names()

    def canonical(self) -> str:
        return f"(-{self.of.canonical()})"

    def evaluate(self, values: Mapping[str, NDArray[Any]]) -> Any:
        return np.negative(self.of.evaluate(values))


@dataclass(frozen=True, slots=True)
class _Call:
    function: str
    args: tuple[_Node, ...]

    def names(self) -> Iterator[str]:
        for arg in self.args:
            yield from arg.names()

    def canonical(self) -> str:
        return f"{self.function}({', '.join(arg.canonical() for arg in self.args)})"

    def evaluate(self, values: Mapping[str, NDArray[Any]]) -> Any:
        return _FUNCTIONS[self.function].compute(*(arg.evaluate(values) for arg in self.args))


_Node: TypeAlias = _Number | _Name | _Infix | _Minus | _Call


@dataclass(frozen=True, slots=True)
class Expression:
    """A checked expression over bands; call it with the bands' values."""

    text: str
    """As the user wrote it, runs of white space made one space."""
    names: tuple[str, ...]
    """Bands it needs, in order of first use; at least one."""
    tree: _Node
    """The checked syntax tree."""

    @property
    def band(self) -> str | None:
        """The band's name if the expression is nothing but a band, else None."""
        return self.tree.name if isinstance(self.tree, _Name) else None

    @property
    def canonical(self) -> str:
        """Text that is the same for every way to space or bracket the same tree."""
        return self.tree.canonical()

    def __call__(self, values: Mapping[str, NDArray[Any]]) -> _Floats:
        """The expression's value for each cell.

        Args:
            values: an array for each of ``names``, all of shape (n,), of any numeric type.

        Returns:
            Shape (n,), float64. What cannot be computed is NaN or ±inf. For a bare band of
            float64 this is the array that was given, not a copy.
        """
        with np.errstate(all="ignore"):  # 0/0 and log(-1) are data here: the caller counts them
            return np.asarray(self.tree.evaluate(values), dtype=np.float64)


def bare(name: str) -> Expression:
    """The expression that is one band, whatever characters its name has."""
    return Expression(name, (name,), _Name(name))


def parse(text: str) -> Expression:
    """The expression that ``text`` says.

    Raises:
        ExpressionError: the text is not in the language, too long, too deep, or names no band.
    """
    if not isinstance(text, str):
        raise ExpressionError(f"an expression is a text, not {text!r}; it may have {GRAMMAR}")
    if len(text) > MAX_LENGTH:
        raise ExpressionError(
            f"expression {_quote(text)} has {len(text)} characters; at most {MAX_LENGTH} are read"
        )
    line = " ".join(text.split())
    tree = _Walk(line).node(_syntax(line), 1)
    names = tuple(dict.fromkeys(tree.names()))
    if not names:
        raise ExpressionError(f"expression {_quote(line)} names no band; a measurement needs one")
    return Expression(line, names, tree)


def check(expression: Expression, known_bands: Iterable[str]) -> None:
    """See that every name in the expression is a band.

    Raises:
        ExpressionError: a name is not among ``known_bands``; the nearest one is offered.
    """
    known = tuple(known_bands)
    for name in expression.names:
        if name not in known:
            hint = _nearest(name, known) or f"; bands are {', '.join(known) or 'none'}"
            raise ExpressionError(
                f"expression {_quote(expression.text)} has an unknown band {name!r}{hint}"
            )


def _syntax(line: str) -> ast.expr:
    """Python's own syntax tree of one line; nothing is compiled or run."""
    strange = _FORBIDDEN.search(line)
    if strange:
        raise _refusal(line, f"has {strange.group()!r}", strange.start())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "1and b" warns before the walk refuses it
            return ast.parse(line, mode="eval").body
    except SyntaxError as error:
        place = error.offset - 1 if error.offset else len(line)  # 0 stands for the end
        raise _refusal(line, "cannot be read", place) from None
    except (ValueError, RecursionError, MemoryError):
        raise _refusal(line, "cannot be read: it is malformed or nested too deep", 0) from None


@dataclass(frozen=True, slots=True)
class _Walk:
    """Turns Python's syntax tree into ours and refuses what is not in the language."""

    line: str

    def node(self, syntax: ast.expr, depth: int) -> _Node:
        if depth > MAX_DEPTH:
            raise self.refuse(syntax, f"is nested deeper than {MAX_DEPTH} operations")
        match syntax:
            case ast.Constant():
                return self.number(syntax)
            case ast.Name(id=name):
                return _Name(name)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return _Minus(self.node(operand, depth + 1))
            case ast.BinOp(left=left, op=op, right=right):
                return self.infix(syntax, left, op, right, depth)
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                return self.infix(syntax, left, op, right, depth)
            case ast.Compare():
                raise self.refuse(
                    syntax, "chains comparisons (write (0 < a) * (a < 1) for 0 < a < 1)"
                )
            case ast.Call():
                return self.call(syntax, depth)
        raise self.refuse(syntax, f"has {_words(syntax)}")

    def number(self, syntax: ast.Constant) -> _Number:
        value = syntax.value
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.refuse(syntax, f"has {value!r} which is not a real number")
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise self.refuse(syntax, "has a number too large for float64")
        return _Number(number)

    def infix(
        self, syntax: ast.expr, left: ast.expr, op: ast.AST, right: ast.expr, depth: int
    ) -> _Node:
        symbol = _SYMBOLS.get(type(op))
        if symbol is None:
            raise self.refuse(syntax, f"has {_words(op)}")
        return _Infix(symbol, self.node(left, depth + 1), self.node(right, depth + 1))

    def call(self, syntax: ast.Call, depth: int) -> _Node:
        if not isinstance(syntax.func, ast.Name):
            raise self.refuse(syntax, "calls what is not a function")
        name = syntax.func.id
        if name not in _FUNCTIONS:
            hint = _nearest(name, FUNCTIONS)
            raise self.refuse(syntax, f"has an unknown function {name!r}{hint}")
        if syntax.keywords:
            raise self.refuse(syntax, f"gives {name} an argument by keyword")
        self.count(syntax, name, len(syntax.args))
        return _Call(name, tuple(self.node(arg, depth + 1) for arg in syntax.args))

    def count(self, syntax: ast.Call, name: str, given: int) -> None:
        function = _FUNCTIONS[name]
        if not function.least <= given <= function.most:
            wanted = f"{function.least}" + (" or more" if function.most > function.least else "")
            raise self.refuse(syntax, f"gives {name} {given} arguments instead of {wanted}")

    def refuse(self, syntax: ast.expr, why: str) -> ExpressionError:
        before = self.line.encode()[: syntax.col_offset]  # ast counts bytes, people characters
        return _refusal(self.line, why, len(before.decode(errors="replace")))


_NAMES: Mapping[type[ast.AST], str] = {
    ast.Attribute: "a dot between names",
    ast.BoolOp: "and / or",
    ast.FloorDiv: "//",
    ast.IfExp: "if / else",
    ast.In: "in",
    ast.Is: "is",
    ast.LShift: "<<",
    ast.Mod: "%",
    ast.Not: "not",
    ast.RShift: ">>",
    ast.Starred: "a starred argument",
    ast.Tuple: "a list of values",
    ast.UAdd: "a plus sign before a value",
}


def _words(syntax: ast.AST) -> str:
    """What a user would call a piece of syntax."""
    kind = type(syntax.op) if isinstance(syntax, ast.UnaryOp) else type(syntax)
    return _NAMES.get(kind, f"something of kind {kind.__name__}")


def _refusal(line: str, why: str, column: int) -> ExpressionError:
    place = f"at column {column + 1}"
    return ExpressionError(f"expression {_quote(line)} {why} {place}; it may have {GRAMMAR}")


def _nearest(name: str, known: Iterable[str]) -> str:
    """A hint in brackets, or nothing if no name is near."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""


def _quote(text: str) -> str:
    """The text as it can stand in a message."""
    return repr(text if len(text) <= 80 else text[:77] + "...")
