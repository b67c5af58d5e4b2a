"""Grammar rules are the clauses that they stand for; phrase/2 and /3 parse by any grammar body."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import deepplp
from deepplp import errors

ANIMALS = "s --> n, v.\n0.4::n --> [dog].\n0.3::v --> [barks] ; [meows].\n"


def answers(text: str) -> dict[str, float]:
    """The answers of a program's own queries."""
    return deepplp.Model(deepplp.Program.from_string(text), cache=False).query().to_dict()


@pytest.mark.parametrize(
    ("rule", "clause"),
    [
        ("s --> n, v.", "s(S0, S) :- n(S0, S1), v(S1, S)."),
        ("s(X) --> n(X, y).", "s(X, S0, S) :- n(X, y, S0, S)."),
        ("s --> [].", "s(S0, S) :- S0 = S."),
        ("s --> [a, B].", "s(S0, S) :- S0 = [a, B|S]."),
        ('s --> "a1 \'".', "s(S0, S) :- S0 = [a, '1', ' ', '\\''|S]."),
        ("s --> n ; v.", "s(S0, S) :- n(S0, S) ; v(S0, S)."),
        ("s --> n | v.", "s(S0, S) :- n(S0, S) ; v(S0, S)."),
        ("s --> {p(X), q}, n(X).", "s(S0, S) :- (p(X), q), S0 = S1, n(X, S1, S)."),
        ("s --> {}.", "s(S0, S) :- S0 = S."),
        ("s --> \\+n, v.", "s(S0, S) :- (\\+n(S0, _S2), S0 = S1), v(S1, S)."),
        ("s, [x] --> n.", "s(S0, S) :- n(S0, S1), S = [x|S1]."),
        ("s --> call(p, 1), X.", "s(S0, S) :- call(p, 1, S0, S1), phrase(X, S1, S)."),
        ("0.3::s --> n.", "0.3::s(S0, S) :- n(S0, S)."),
        ("0.3::s ; 0.7::t(X) --> n(X).", "0.3::s(S0, S) ; 0.7::t(X, S0, S) :- n(X, S0, S)."),
        ("s(S) --> n(S).", "s(S, S_0_0, S_0_) :- n(S, S_0_0, S_0_)."),
    ],
)
def test_translation(rule: str, clause: str) -> None:
    """A rule has the statement of the clause that says the same; its variables are none of the program's."""
    translated, written = (deepplp.Program.from_string(t).statements[0].term for t in (rule, clause))
    assert str(translated) == str(written)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (ANIMALS + "query(s([dog, barks], [])).", {"s([dog, barks],[])": 0.12}),
        (ANIMALS + "query(phrase(s, [dog, meows])).", {"phrase(s,[dog, meows])": 0.12}),
        (ANIMALS + "query(phrase((n, v), [dog, meows])).", {"phrase((n, v),[dog, meows])": 0.12}),
        (ANIMALS + "query(phrase(n, [dog, meows], _)).", {"phrase(n,[dog, meows],[meows])": 0.4}),
        (ANIMALS + "q(X) :- member(X, [n, v]), phrase(X, [barks]). query(q(_)).", {"q(v)": 0.3}),
        (ANIMALS + "q(L) :- findall(X, phrase(n, [dog|X], []), L). query(q(_)).", {"q([])": 0.6, "q([[]])": 0.4}),
        ('0.3::g --> "hi". query(phrase(g, "hi")).', {'phrase(g,"hi")': 0.3}),
        ("e --> e, [+], t. e --> t. 0.5::t --> [x]. query(e([x, +, x], [])).", {"e([x, +, x],[])": 0.25}),
        ("a --> look, [b]. look, [X] --> [X]. query(a([b], [])).", {"a([b],[])": 1.0}),
        ("a --> \\+[b], [_]. query(a([b], [])). query(a([c], [])).", {"a([b],[])": 0.0, "a([c],[])": 1.0}),
        ("n(0) --> []. n(M) --> [s], n(N), {M is N + 1}. query(n(_, [s, s], [])).", {"n(2,[s, s],[])": 1.0}),
    ],
)
def test_parsing(text: str, expected: dict[str, float]) -> None:
    """What a grammar parses has the probability that its rules and words are there, each use a choice of its own."""
    assert answers(text) == pytest.approx(expected)


def test_networks_read_terminals() -> None:
    """A network may decide what a terminal is: the sum of a list of images is that of their digits."""
    program = deepplp.Program.from_string(
        "nn(net, [X], Y, [0..2]) :: digit(Y) --> [X].\nsum(Z) --> digit(Z).\n"
        "sum(Z) --> digit(X), sum(Y), {Z is X + Y}.\n"
    )
    model = deepplp.Model(program, {"net": lambda x: x}, cache=False)
    a, b = torch.tensor([[0.5, 0.25, 0.25]]), torch.tensor([[0.25, 0.5, 0.25]])
    found = model.query("sum(Z, [a, b], [])", {"a": a, "b": b})
    by_hand = [sum(a[0, i] * b[0, z - i] for i in range(3) if 0 <= z - i < 3) for z in range(5)]
    assert found.probs[0].tolist() == pytest.approx([float(p) for p in by_hand])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a --> b, 3.", "p.pl:1:10: 3 cannot stand in a grammar rule"),
        ("a --> [x|T].", "p.pl:1:7: [x | T] cannot stand in a grammar rule"),
        ("X --> b.", "p.pl:1:1: X is no nonterminal"),
        ("[a] --> b.", "p.pl:1:1: [a] is no nonterminal"),
        ("a --> {b.", "p.pl:1:7: '{' has no partner"),
        ("a --> {b), c.", "p.pl:1:9: expected '}' before ')'"),
        ("a --> (b}, c.", "p.pl:1:9: expected ')' before '}'"),
        ("a --> [b}, c.", "p.pl:1:9: expected ']' before '}'"),
        ("a --> b}.", "p.pl:1:8: '}' has no partner"),
        ("a --> b, 0.5::c.", "p.pl:1:10: a probability stands before a head"),
    ],
)
def test_rules_that_are_none(text: str, message: str) -> None:
    """A rule that cannot be translated is an error with its place."""
    with pytest.raises(errors.ProgramSyntaxError) as caught:
        deepplp.Program.from_string(text, "p.pl")
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("text", "error", "place"),
    [
        ("a --> !, [b].\nquery(a([b], [])).", errors.UnsupportedConstructError, (1, 7)),
        ("a --> (b -> [c] ; [d]).\nb --> [].\nquery(a([b], [])).", errors.UnsupportedConstructError, (1, 10)),
        ("a --> b, [c].\nquery(a([b], [])).", errors.UnknownPredicateError, (1, 7)),
        ("a :- phrase(b, [c]).\nquery(a).", errors.UnknownPredicateError, (1, 13)),
    ],
)
def test_check_agrees(tmp_path: Path, text: str, error: type[errors.DeepPLPError], place: tuple[int, int]) -> None:
    """What is wrong when a grammar is used, `check` finds at the same place."""
    file = tmp_path / "p.pl"
    file.write_text(text)
    found = [f.position for f in deepplp.check_file(file).findings if f.severity == "error"]
    with pytest.raises(error) as caught:
        deepplp.Model(file, cache=False).query()
    for position in (caught.value.position, *found):
        assert position is not None
        assert (position.line, position.column) == place


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("q(X) :- phrase(X, [a]). query(q(_)).", "phrase/2 is reached while its grammar body is not bound"),
        ("q :- phrase(3, [a]). query(q).", "phrase/2: 3 cannot stand in a grammar rule"),
    ],
)
def test_bodies_that_are_none(text: str, message: str) -> None:
    """A body that is made when the program runs is checked then."""
    with pytest.raises(errors.GroundingError, match=message):
        answers(text)
