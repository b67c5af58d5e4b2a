"""The standard order of terms, against an order of plain tuples that is written down here once more."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepplp.errors import GroundingError
from deepplp.grounding import Grounder
from deepplp.grounding.grounder import GrounderName
from deepplp.program import Constant, Program, Term, Var, standard_order_key

Plain = tuple[Any, ...]
"""("number", value), ("string", text), ("atom", text, quoted) or ("compound", name, argument, …)."""

ENGINES: list[GrounderName] = ["auto", "problog"]
KINDS = ["number", "string", "atom", "compound"]
NAMES = ["a", "b", "ab", "zebra", "f", "B", "a b", "[]", "9", "10", "_x", "é"]
NUMBERS = [0, 1, 2, 9, 10, 100, -1, -9, -10, 1.0, 9.0, 9.5, -9.5, 0.0, 10**30, 10**30 + 1, 2**53 + 1, 2.0**53]


def sign(difference: float) -> int:
    """-1, 0 or 1."""
    return (difference > 0) - (difference < 0)


def by_value(a: float, b: float) -> int:
    """Numbers by value; of two that are equal, a float first. (A program has one zero of each kind.)"""
    if a != b:
        return -1 if a < b else 1
    return isinstance(a, int) - isinstance(b, int)


def by_text(a: str, b: str) -> int:
    """Texts by their first character that differs."""
    for x, y in zip(a, b, strict=False):
        if x != y:
            return sign(ord(x) - ord(y))
    return sign(len(a) - len(b))


def by_order(a: Plain, b: Plain) -> int:
    """The order that the documentation of ProbLog writes down."""
    if a[0] != b[0]:
        return sign(KINDS.index(a[0]) - KINDS.index(b[0]))
    if a[0] == "number":
        return by_value(a[1], b[1])
    if a[0] != "compound":
        return by_text(a[1], b[1])
    if len(a) != len(b):
        return sign(len(a) - len(b))
    differences = [by_text(a[1], b[1]), *(by_order(x, y) for x, y in zip(a[2:], b[2:], strict=True))]
    return next((d for d in differences if d), 0)


in_order = functools.cmp_to_key(by_order)


def text(term: Plain) -> str:
    """A term as a program writes it."""
    match term:
        case ("number", value):
            return repr(value)
        case ("string", name):
            return f'"{name}"'
        case ("atom", name, quoted):
            return f"'{name}'" if quoted else name
        case ("compound", ".", head, tail):
            return f"[{text(head)}|{text(tail)}]"
        case ("compound", name, *arguments):
            return f"{name}({','.join(map(text, arguments))})"
    raise AssertionError(term)


def plain(term: Term) -> Plain:
    """The plain term that an engine's term is; how an atom was quoted is forgotten."""
    if isinstance(term, Constant):
        return ("string", term.functor[1:-1]) if isinstance(term.functor, str) else ("number", term.functor)
    name = str(term.functor)
    name = name[1:-1] if name.startswith("'") else name
    return ("compound", name, *map(plain, term.args)) if term.args else ("atom", name, False)


def unquoted(term: Plain) -> Plain:
    """A plain term without a note of its quotes."""
    if term[0] == "atom":
        return (*term[:2], False)
    return (*term[:2], *map(unquoted, term[2:])) if term[0] == "compound" else term


def items(term: Term) -> list[Plain]:
    """The items of a list."""
    found = []
    while term.args:
        found.append(plain(term.args[0]))
        term = term.args[1]
    return found


def needs_quotes(name: str) -> bool:
    """Whether an atom cannot be written without quotes."""
    return name != "[]" and not (name.isascii() and name.isalnum() and name[0].islower())


def written(term: Plain) -> Plain:
    """A plain term with quotes where they have to be."""
    if term[0] == "atom":
        return (*term[:2], needs_quotes(term[1]))
    return (*term[:2], *map(written, term[2:])) if term[0] == "compound" else term


@st.composite
def atoms(draw: st.DrawFn) -> Plain:
    """Atoms, written with quotes where they have to be, and at times where they need not."""
    name = draw(st.sampled_from(NAMES))
    return "atom", name, needs_quotes(name) or (name != "[]" and draw(st.booleans()))


NUMBER = st.sampled_from(NUMBERS).map(lambda n: ("number", n)) | st.integers(-200, 200).map(lambda n: ("number", n))
STRING = st.sampled_from(["", "a", "b", "10", "9", "a b"]).map(lambda name: ("string", name))
TERM: st.SearchStrategy[Plain] = st.recursive(
    NUMBER | NUMBER | STRING | atoms(),
    lambda inner: (
        st.builds(
            lambda name, arguments: ("compound", name, *arguments),
            st.sampled_from(["f", "g", "a", "zz"]),
            st.lists(inner, min_size=1, max_size=3),
        )
        | st.builds(lambda a, b: ("compound", ".", a, b), inner, st.just(("atom", "[]", False)) | inner)
    ),
    max_leaves=6,
)


def distinct(terms: Sequence[Plain]) -> list[Plain]:
    """Those that no earlier one equals."""
    return [t for i, t in enumerate(terms) if all(by_order(t, u) for u in terms[:i])]


def answers(program: str, grounder: GrounderName) -> dict[str, Term]:
    """The only answer of every query of a program, by its predicate."""
    formula = Grounder(Program.from_string(program), grounder=grounder).ground()
    return {str(goal.term.functor): goal.term for goal in formula.queries}


@pytest.mark.parametrize("grounder", ENGINES)
@given(terms=st.lists(TERM, min_size=1, max_size=6))
@settings(max_examples=25)
def test_sorting(grounder: GrounderName, terms: list[Plain]) -> None:
    """All that sorts, sorts by the standard order: each once, all of them, from either end, and the extremes."""
    given = f"[{','.join(map(text, terms))}]"
    goals = {
        "sort": f"sort({given}, L)",
        "msort": f"msort({given}, L)",
        "down": f"sort(0, @>=, {given}, L)",
        "strictly_down": f"sort(0, @>, {given}, L)",
        "ord": f"list_to_ord_set({given}, L)",
        "set": f"list_to_set({given}, L)",
        "pred": f"predsort(compare, {given}, L)",
        "most": f"max_member({given}, M), L = [M]",
        "least": f"min_member({given}, M), L = [M]",
        "first": f"min_member(M, {given}), L = [M]",
    }
    program = "".join(f"{name}(L) :- {goal}. query({name}(_)). " for name, goal in goals.items())
    found = {name: items(term.args[0]) for name, term in answers(program, grounder).items()}
    ordered = sorted(map(unquoted, terms), key=in_order)
    assert found["msort"] == ordered
    assert found["sort"] == found["ord"] == found["pred"] == distinct(ordered)
    assert found["down"] == ordered[::-1]
    assert found["strictly_down"] == distinct(ordered)[::-1]
    assert found["set"] == distinct([unquoted(t) for t in terms])
    assert found["most"] == ordered[-1:]
    assert found["least"] == found["first"] == ordered[:1]


@pytest.mark.parametrize("grounder", ENGINES)
@given(terms=st.lists(TERM, min_size=2, max_size=4))
@settings(max_examples=25)
def test_comparison(grounder: GrounderName, terms: list[Plain]) -> None:
    """compare/3 and the comparisons say what the order says, of every pair, and the lists around it say the same."""
    lines, expected = [], {}
    for i, a in enumerate(terms):
        for j, b in enumerate(terms):
            difference = by_order(a, b)
            holds = {"@<": difference < 0, "@>": difference > 0, "@=<": difference <= 0, "@>=": difference >= 0}
            holds |= {"==": not difference, "\\==": bool(difference)}
            tests = [f"{text(a)} {o} {text(b)}" if h else f"\\+ ({text(a)} {o} {text(b)})" for o, h in holds.items()]
            lines.append(f"p{i}{j}(O) :- compare(O, {text(a)}, {text(b)}), {', '.join(tests)}. query(p{i}{j}(_)).")
            lines.append(f"q{i}{j}(O) :- compare(O, [x, {text(a)}], [x, {text(b)}]). query(q{i}{j}(_)).")
            expected[f"p{i}{j}"] = expected[f"q{i}{j}"] = "=><"[difference]
    found = answers("\n".join(lines), grounder)
    assert {name: str(term.args[0].functor) for name, term in found.items()} == expected


@given(st.lists(TERM, min_size=1, max_size=8))
@settings(max_examples=40)
def test_answers_are_in_order(terms: list[Plain]) -> None:
    """The answers of a query stand in the standard order."""
    once = distinct([unquoted(t) for t in terms])
    facts = " ".join(f"0.5::p({text(written(t))})." for t in once)
    formula = Grounder(Program.from_string(f"{facts} query(p(_)).")).ground()
    found = [plain(goal.term.args[0]) for goal in formula.queries]
    assert found == sorted(once, key=in_order)


def test_what_no_program_writes() -> None:
    """Variables come first, in the order in which they stand; NaN comes before all numbers, infinity behind them.

    Of the zeros -0.0 comes first, then 0.0 and 0.
    """
    values = [math.nan, -math.inf, -(10**400), -0.0, 0.0, 0, 10**400, math.inf]
    terms = [-1, -2, Var("X"), *map(Constant, values), Constant('"s"'), Term("a"), Term("f", -1), Term("f", Term("a"))]
    keys = [standard_order_key(t) for t in terms]
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys)
    assert standard_order_key(Constant(math.nan)) == standard_order_key(Constant(math.nan))


@pytest.mark.parametrize("grounder", ENGINES)
def test_escaped_characters(grounder: GrounderName) -> None:
    """An escaped character has its own place in the order, not that of the backslash by which it is written."""
    program = r"""
        s(L) :- sort(['#', '\n', 'a\'b', 'a(b', '\\', 'A', '\t', 'a*b'], L). query(s(_)).
    """
    found = [term[1] for term in items(answers(program, grounder)["s"].args[0])]
    assert found == [r"\t", r"\n", "#", "A", "\\", r"a\'b", "a(b", "a*b"]


def test_negations_as_terms() -> None:
    """A negation within a term is the same term as another one where the two unify, and only there."""
    written = ["f(not a)", "f(not(a))", r"f(\+a)", r"f(\+(a))"]
    clauses = [f"r({i},{j},{o}) :- X = {a}, Y = {b}, X {s} Y." for i, a in enumerate(written) for j, b in
               enumerate(written) for o, s in (("same", "=="), ("unify", "="))]  # fmt: skip
    formula = Grounder(Program.from_string("\n".join([*clauses, "query(r(_,_,_))."]))).ground()
    found = {tuple(map(str, goal.term.args)) for goal in formula.queries}
    assert {pair[:2] for pair in found if pair[2] == "same"} == {pair[:2] for pair in found if pair[2] == "unify"}
    assert ("0", "1", "same") in found
    assert ("0", "2", "same") not in found


def test_long_and_deep_terms() -> None:
    """Terms of any depth have a place, without recursion."""
    deep: Term = Term("z")
    for _ in range(50_000):
        deep = Term("s", deep)
    assert standard_order_key(deep) < standard_order_key(Term("s", deep))


def test_variables_in_sorted_lists() -> None:
    """A list with variables is sorted, and what its items are unified with is bound in them."""
    program = """
        a(X) :- sort([X, b], [a, b]).
        b(L) :- sort([c, X, a, X], L), X = z.
        c(X, Y) :- msort([X, Y, q], [p, p, q]).
        d(X) :- max_member([X], a).
        query(a(_)). query(b(_)). query(c(_, _)). query(d(_)).
    """
    for grounder in ENGINES:
        found = {name: str(term) for name, term in answers(program, grounder).items()}
        assert found == {"a": "a(a)", "b": "b([z, a, c])", "c": "c(p,p)", "d": "d(a)"}


@pytest.mark.parametrize(
    ("goal", "says"),
    [
        ("sort(X, _)", "sort/2 needs a list whose end is known, not _"),
        ("sort([b|X], _)", r"sort/2 needs a list whose end is known, not \[b \| _\]"),
        ("sort(a, _)", "sort/2 needs a list whose end is known, not a"),
        ("msort(a, _)", "msort/2 needs a list whose end is known, not a"),
        ("max_member(X, Y)", "max_member/2 needs a list whose end is known, not _"),
        ("list_to_set(a, _)", "list_to_set/2 needs a list whose end is known, not a"),
        ("keysort([a], _)", "keysort/2 sorts pairs such as key-value, not a"),
        ("sort(2, @<, [f(a)], _)", r"sort/4 sorts by argument 2, which f\(a\) does not have"),
        ("sort(0, <, [a], _)", "the second argument of sort/4 is one of @<, @>, @=< and @>=, not <"),
        ("sort(x, @<, [a], _)", "the first argument of sort/4 is 0, or the number of the argument to sort by, not x"),
        ("compare(a, 1, 2)", "the first argument of compare/3 is one of <, = and >, not a"),
    ],
)
def test_arguments_that_cannot_be_sorted(goal: str, says: str) -> None:
    """What cannot be compared or sorted is an error in the clause that asks for it."""
    for grounder in ENGINES:
        with pytest.raises(GroundingError, match=rf"^p\.pl:2:\d+: {says}\n"):
            Grounder(Program.from_string(f"a.\nq :- {goal}.\nquery(q).", "p.pl"), grounder=grounder).ground()
