"""Terms as text: printing and parsing are inverse, and an atom is one atom however it is quoted."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import deepplp
from deepplp.program import Constant, Term, parse_goal, parse_term, text_of

# Terms in functional notation, which needs no priorities: what a term is does not depend on how it is printed.
WORDS = [
    "a",
    "b1",
    "aB_c",
    "mod",
    "is",
    "not",
    "zo\u00eb",
    "'A'",
    "'_'",
    "'two words'",
    "'it\\'s'",
    "'\\\\'",
    "'x\\n'",
    "'\n'",
]
SIGNS = [
    "+",
    "-",
    "*",
    "/",
    "<",
    "=",
    "'=:='",
    "'<='",
    "'+-'",
    "'@<'",
    "@<",
    "'\\\\='",
    "\\=",
    "'~'",
    "':-'",
    "'$'",
    "','",
    "';'",
    "'|'",
    "'a.b'",
    "'%'",
    "'()'",
    "[]",
    "{}",
    "!",
    "'1'",
]
NUMBERS = ["0", "7", "-3", "0.5", "-0.25", "1e-20", "-0.0", "12345678901234567890"]
STRINGS = ['"a"', '"two words"', '"it\'s"', '"a\\"b"', '""', '"[a|b]"']
atoms = st.sampled_from([*WORDS, *SIGNS, *NUMBERS, *STRINGS])
BINARY = [
    "+",
    "-",
    "*",
    "/",
    "'**'",
    "^",
    "=",
    "<",
    "'>='",
    "'=..'",
    "is",
    "mod",
    "'->'",
    ":",
    "','",
    ";",
    "f",
    "'A'",
    "'.'",
    "'=>'",
]
UNARY = ["-", "+", "\\", "\\+", "f", "'g h'", "{}"]


def compounds(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Terms with an operator, a functor or brackets around others."""
    listed = st.lists(inner, min_size=1, max_size=3).map(", ".join)
    braced = inner.map(lambda a: f"{{{a}}}")
    return (
        st.tuples(st.sampled_from(BINARY), inner, inner).map(lambda t: f"{t[0]}({t[1]}, {t[2]})")
        | st.tuples(st.sampled_from(UNARY[:-1]), inner).map(lambda t: f"{t[0]}({t[1]})")
        | listed.map(lambda items: f"[{items}]")
        | st.tuples(listed, inner).map(lambda t: f"[{t[0]} | {t[1]}]")
        | braced
        | st.tuples(inner, inner, inner).map(lambda t: f"f({t[0]}, {t[1]}, {t[2]})")
    )


def same(left: object, right: object) -> bool:
    """Whether two terms are written with the same functors, arguments, kinds and operators, part by part."""
    if type(left) is not type(right):
        return False
    if not isinstance(left, Term) or not isinstance(right, Term):
        return left == right
    if type(left.functor) is not type(right.functor) or left.functor != right.functor:
        return False
    if isinstance(left, Constant):
        return repr(left.functor) == repr(right.functor)
    shapes = [(t.op_priority, t.op_spec, t.arity) for t in (left, right)]
    return shapes[0] == shapes[1] and all(same(a, b) for a, b in zip(left.args, right.args, strict=True))


@settings(deadline=None, max_examples=400)
@given(st.recursive(atoms, compounds, max_leaves=8))
def test_printing_and_parsing_are_inverse(text: str) -> None:
    """A term's text is read as the term, and printed the same."""
    term = parse_term(text)
    printed = text_of(parse_goal(f"v({text})"))
    back = parse_goal(printed).args[0]
    assert same(back, term)
    assert text_of(parse_goal(printed)) == printed


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("v((a;b))", "v((a; b))"),
        ("v((a,b;c))", "v(((a, b); c))"),
        ("v((a:-b,c))", "v((a :- b, c))"),
        ("v((a->b))", "v((a->b))"),
        ("v(\\+a)", "v(\\+a)"),
        ("v(\\+(a))", "v(\\+a)"),
        ("v(- 1)", "v(-1)"),
        ("v(-(1))", "v(-(1))"),
        ("v(-(a))", "v(-a)"),
        ("v(-(-(a)))", "v(-(-a))"),
        ("v(1 - -1)", "v(1- -1)"),
        ("v(a < -1)", "v(a< -1)"),
        ("v(2-(3-4))", "v(2-(3-4))"),
        ("v((2-3)-4)", "v(2-3-4)"),
        ("v((1+2)*3)", "v((1+2)*3)"),
        ("v(a=(\\+b))", "v(a=(\\+b))"),
        ("v(+(1, 2))", "v(1+2)"),
        ("v('+'(1, 2))", "v(1+2)"),
        ("v(+(1, 2, 3))", "v(+(1,2,3))"),
        ("v([+, -])", "v([+, -])"),
        ("v('+' - a)", "v('+'-a)"),
        ("v('[]')", "v('[]')"),
        ("v({a, b})", "v({a, b})"),
        ("v('.'(a, b))", "v([a | b])"),
        ("v('hello world')", "v('hello world')"),
        ("v('\\\\')", "v(\\)"),
        ("v(a = '\\\\+')", "v(a='\\\\+')"),
        ("v('<=', '=>')", "v('<=',=>)"),
        ("'v'('a', 'aB')", "v(a,aB)"),
        ("v(-0.0)", "v(0.0)"),
    ],
)
def test_texts(text: str, printed: str) -> None:
    """What a term is printed as; operators, quotes and blanks stand where they are needed."""
    assert text_of(parse_goal(text)) == printed


@pytest.mark.parametrize("terms", [["(a;b)", "(a:-b)", "{a}", "1 - -1", "-(1)", "'A'", "[-, +]", "'x\\'y'", '"q\'r"']])
def test_answers_are_found_by_their_texts(terms: list[str]) -> None:
    """The texts of answers may be asked for, and for each there is its own answer."""
    program = "".join(
        f"{p}::v({t}). " for p, t in zip([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9], terms, strict=True)
    )
    answers = deepplp.Model(deepplp.Program.from_string(program), cache=False).query("v(X)")
    by_text = {text: answers[text].tolist() for text in answers.terms}
    asked = {t: answers[f"v({t})"].tolist() for t in terms}
    assert len(by_text) == len(terms)
    assert sorted(by_text.values()) == sorted(asked.values()) == [[pytest.approx(i / 10)] for i in range(1, 10)]
    again = deepplp.Model(deepplp.Program.from_string(program), cache=False).query(list(answers.terms))
    assert again.probs[0].tolist() == pytest.approx(answers.probs[0].tolist())


@pytest.mark.parametrize(
    ("text", "query", "expected"),
    [
        ("0.5::p('a').", "p(a)", 0.5),
        ("0.5::p(a).", "p('a')", 0.5),
        ("0.5::'p'(a).", "p(a)", 0.5),
        ("0.5::p([f('a')]).", "p([f(a)])", 0.5),
        ("0.5::p('a'). q :- p(a).", "q", 0.5),
        ("0.5::p(a). q :- 'p'('a').", "q", 0.5),
        ("0.5::p(a). q :- p(X), X == 'a'.", "q", 0.5),
        ("0.5::p(a). 0.5::p(b). q :- p(X), member(X, ['a']).", "q", 0.5),
        ("0.5::p('+'). q :- p(+).", "q", 0.5),
        ("0.5::p('@<'). q :- p(@<).", "q", 0.5),
        ("0.5::p('\\\\='). q :- p(\\=).", "q", 0.5),
        ("0.5::p((a :- b)). q :- p(':-'(a, b)).", "q", 0.5),
        ("0.5::p('+'(1, 2)). q :- p(1 + 2).", "q", 0.5),
        ("0.5::p(a). q :- X =.. ['p', 'a'], call(X).", "q", 0.5),
        ("0.5::p(a). evidence('p'('a')). q :- p(a).", "q", 1.0),
        ("0.3::p('A'). 0.5::p(a). q :- p('A').", "q", 0.3),
    ],
)
def test_quotes_make_no_other_atom(text: str, query: str, expected: float) -> None:
    """An atom that needs no quotes is the same with them: in facts, rules, queries and evidence."""
    model = deepplp.Model(deepplp.Program.from_string(text), cache=False)
    assert model.query(query).probs.tolist() == [[pytest.approx(expected)]]


def test_quotes_in_a_call() -> None:
    """So it is in the facts and the evidence that come with a query, and in the keys of its answers."""
    model = deepplp.Model(deepplp.Program.from_string("0.5::p(a). 0.5::r('a'). q(X) :- s(X), p(X)."), cache=False)
    answers = model.query("q(X)", facts="s('a').", evidence={"r('a')": True, "p('a')": True})
    assert answers.terms == ("q(a)",)
    assert answers["q('a')"].tolist() == [1.0]


def test_one_zero() -> None:
    """0.0 has no sign: not where it is written, nor where arithmetic makes it."""
    text = "v(0.0). v(-0.0). q(X) :- X is 0.0 * -1. q(X) :- X is -0.0. q(X) :- v(X), X == 0.0."
    model = deepplp.Model(deepplp.Program.from_string(text), cache=False)
    assert model.query(["v(X)", "q(X)"]).terms == ("v(0.0)", "q(0.0)")
    assert deepplp.Model(deepplp.Program.from_string(text), cache=False, grounder="problog").query("q(X)").terms == (
        "q(0.0)",
    )


@pytest.mark.parametrize("grounder", ["tabled", "problog"])
def test_nothing_comes_before_zero(grounder: str) -> None:
    """succ/2 is about natural numbers."""
    program = deepplp.Program.from_string(
        "q(X) :- succ(X, 0). q(X) :- succ(X, 1). q(X) :- succ(3, X). q(a) :- succ(1, 2)."
    )
    assert deepplp.Model(program, cache=False, grounder=grounder).query("q(X)").terms == ("q(0)", "q(4)", "q(a)")
