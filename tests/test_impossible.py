"""Goals that can never hold, since an argument has a value that nothing gives it: they are told, and no others are."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
import torch

import deepplp
from deepplp import errors

LIGHT = "nn(net, [X], L, [red, yellow, green]) :: light(X, L).\n"
DIGIT = "nn(net, [X], N, [0..9]) :: digit(X, N).\n"
SHAPE = "nn(net, [X], P, [pair(red, 1), pair(blue, 2)]) :: shape(X, P).\n"
TAGS = "nn(net, [X], L, [cat, dog], independent) :: has(X, L).\n"
NESTED = "nn(net, [X], L, [red, green]) :: seen(at(X, L), yes).\n"
MODE = "0.3::mode(fast); 0.7::mode(slow).\n"
COLOURS = "colour(crimson). colour(azure).\n"

NEVER = {
    "in a body": (LIGHT + "q(X) :- light(X, redd).", "redd", "red, yellow, green; did you mean red?"),
    "negated": (LIGHT + "q(X) :- \\+ light(X, redd).", "redd", "did you mean red?"),
    "in a disjunction": (LIGHT + "q(X) :- (light(X, red) ; light(X, gren)).", "gren", "did you mean green?"),
    "in a negated one": (LIGHT + "q(X) :- \\+ (light(X, red) ; light(X, gren)).", "gren", "did you mean green?"),
    "by an equation": (LIGHT + "q(X) :- Y = redd, light(X, Y).", "redd", "did you mean red?"),
    "by one behind": (LIGHT + "q(X) :- light(X, Y), redd = Y.", "redd", "did you mean red?"),
    "by a comparison": (DIGIT + "q(X) :- digit(X, N), N =:= 12.", "12", "is one of 0..9"),
    "in one branch": (LIGHT + "q(X) :- (Y = re, light(X, Y) ; light(X, red)).", "re", "did you mean red?"),
    "in findall": (LIGHT + "q(X) :- findall(1, light(X, redd), [_]).", "redd", "did you mean red?"),
    "called": (LIGHT + "q(X) :- call(light(X, redd)).", "redd", "did you mean red?"),
    "called with more": (LIGHT + "q(X) :- call(light, X, redd).", "redd", "did you mean red?"),
    "in a query": (LIGHT + "query(light(a, redd)).", "redd", "did you mean red?"),
    "in a query's body": (LIGHT + "query(light(X, Y)) :- X = a, Y = redd.", "redd", "did you mean red?"),
    "in evidence": (LIGHT + "evidence(light(a, redd), false).", "redd", "did you mean red?"),
    "in negated evidence": (LIGHT + "evidence(\\+ light(a, redd)).", "redd", "did you mean red?"),
    "of numbers": (DIGIT + "q(X) :- digit(X, 10).", "10", "the second argument of digit/2 is one of 0..9"),
    "a float": (DIGIT + "q(X) :- digit(X, 1.0).", "1.0", "is one of 0..9"),
    "below": (DIGIT + "q(X) :- digit(X, -1).", "-1", "is one of 0..9"),
    "a text": (LIGHT + 'q(X) :- light(X, "red").', '"red"', "red, yellow, green"),
    "of another kind": (LIGHT + "q(X) :- light(X, pair(red)).", "pair(red)", "red, yellow, green"),
    "within a term": (SHAPE + "q(X) :- shape(X, pair(rde, _)).", "pair(rde,_)", "pair(red,1), pair(blue,2)"),
    "within a term, by an equation": (SHAPE + "q(X) :- Y = 3, shape(X, pair(red, Y)).", "pair(red,3)", "pair(red,1)"),
    "within the head": (NESTED + "q(X) :- seen(at(X, rde), yes).", "at(X,rde)", "at(X,red)"),
    "beside it": (NESTED + "q(X) :- seen(at(X, red), no).", "no", "the second argument of seen/2 is one of yes"),
    "of labels": (TAGS + "q(X) :- has(X, cow).", "cow", "cat, dog"),
    "of an annotated disjunction": (MODE + "q :- \\+ mode(fats).", "fats", "fast, slow; did you mean fast?"),
    "of two declarations": (
        LIGHT + "nn(other, [X], L, [blue]) :: light(X, L) :- X = b. q(X) :- light(X, blu).",
        "blu",
        "red, yellow, green, blue; did you mean blue?",
    ),
}
MAY = {
    "a value": LIGHT + "q(X) :- light(X, red).",
    "a variable": LIGHT + "q(X) :- light(X, Y), Y \\= red.",
    "another clause": LIGHT + "light(X, blue) :- \\+ light(X, red). q(X) :- light(X, blue).",
    "a clause with a variable": LIGHT + "light(X, Y) :- other(X, Y). other(a, redd). q(X) :- light(X, redd).",
    "a fact": LIGHT + "0.5::light(c, redd). q(X) :- light(X, redd).",
    "a domain that a body binds": "nn(net, [X], L, D) :: light(X, L) :- d(D). d([redd]). q(X) :- light(X, redd).",
    "a dynamic predicate": LIGHT + ":- dynamic light/2. q(X) :- light(X, redd).",
    "assertions": LIGHT + ":- use_module(library(assert)). q(X) :- assertz(light(X, redd)), light(X, redd).",
    "a file that a body reads": LIGHT + "q(X) :- consult(more), light(X, redd).",
    "a term that is data": LIGHT + "q(X) :- X = light(a, redd).",
    "a variable of findall's own": LIGHT + "q(X) :- Y = redd, findall(Y, light(X, Y), _).",
    "one branch's equation": LIGHT + "q(X) :- (Y = redd ; Y = red), light(X, Y).",
    "a part of a term": SHAPE + "q(X, Y) :- shape(X, pair(red, Y)).",
    "facts without a like": COLOURS + "q :- colour(red). q :- \\+ colour(n2).",
    "one head of each predicate": "0.5::a(1); 0.5::b(1). q :- a(2).",
    "a number that a float equals": DIGIT + "q(X) :- digit(X, N), N =:= 3.0.",
    "nn/2 of a value": "nn(net, [X]) :: p(X, red). q(X) :- p(X, blue).",
    "nn/2": "nn(net, [X]) :: p(X). q :- p(anything).",
}


def checked(folder: Path, text: str) -> list[str]:
    """What `check` says of values."""
    (folder / "p.pl").write_text(text)
    found = deepplp.check_file(folder / "p.pl").findings
    return [f.message for f in found if "never holds" in f.message]


@pytest.mark.parametrize("case", NEVER)
def test_check_tells(tmp_path: Path, case: str) -> None:
    """What stands there, which values there are, and what may have been meant."""
    text, value, said = NEVER[case]
    (message,) = checked(tmp_path, text)
    assert f"{value}) never holds: the " in message or f"{value}," in message.partition(" never")[0]
    assert said in message


@pytest.mark.parametrize("case", MAY)
def test_check_is_silent(tmp_path: Path, case: str) -> None:
    """Nothing is said of what may hold, as far as can be told."""
    assert checked(tmp_path, MAY[case]) == []


def test_the_place_is_that_of_the_goal(tmp_path: Path) -> None:
    """Each goal is told where it stands, in the files that are consulted, too."""
    (tmp_path / "more.pl").write_text("\nr(X) :-\n  light(X, gren).")
    (tmp_path / "p.pl").write_text(f"{LIGHT}:- consult('more.pl').\nq(X) :- light(X, red), \\+\n    light(X, redd).")
    places = [
        (Path(f.position.file).name, f.position.line, f.position.column)
        for f in deepplp.check_file(tmp_path / "p.pl").findings
        if f.position is not None and "never" in f.message
    ]
    assert places == [("p.pl", 4, 5), ("more.pl", 3, 3)]


def test_facts_alone_are_told_of_slips_only(tmp_path: Path) -> None:
    """That facts lack a value is common; a word that is nearly one of theirs is a slip, which `check` alone tells."""
    text = COLOURS + "q :- \\+ colour(azur)."
    (message,) = checked(tmp_path, text)
    assert message == (
        "colour(azur) never holds: the first argument of colour/1 is one of crimson, azure; did you mean azure?"
    )
    deepplp.Model(deepplp.Program.from_string(f"{text}\n{MODE}" + "q :- \\+ mode(fats)."))


def identity(x: torch.Tensor) -> torch.Tensor:
    """A network whose input is its output."""
    return x


def test_a_model_warns_once() -> None:
    """One warning for a program, with the first place and how many more there are; queries give it no second time."""
    text = LIGHT + "go(X) :- \\+ light(X, redd).\nstop(X) :- light(X, gren)."
    with pytest.warns(errors.ImpossibleValueWarning) as caught:
        model = deepplp.Model(deepplp.Program.from_string(text, "p.pl"), {"net": identity}, cache=False)
    assert [str(w.message) for w in caught] == [
        "p.pl:2:13: light(X,redd) never holds: the second argument of light/2 is one of red, yellow, green; did you "
        "mean red?; so it is with 1 more, which deepplp check lists"
    ]
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert float(model.query("go(a)", {"a": torch.tensor([[0.5, 0.25, 0.25]])}).probs) == 1.0


def test_queries_and_evidence_are_looked_at() -> None:
    """A query, and evidence, that can never hold: one warning a model, and the answer all the same."""
    x = {"a": torch.tensor([[0.5, 0.25, 0.25]], dtype=torch.float64)}
    program = deepplp.Program.from_string(LIGHT + "q(X) :- light(X, red).")
    for arguments, options in (
        (("light(a, redd)", x), {}),
        ((["q(a)", "light(a, redd)"], x), {}),
        (("\\+ light(a, redd)", x), {}),
        (("q(a)", x), {"evidence": {"light(a, redd)": False}}),
    ):
        model = deepplp.Model(program, {"net": identity}, cache=False)
        with pytest.warns(
            errors.ImpossibleValueWarning, match=r"light\(a,redd\) never holds: .* did you mean red"
        ) as caught:
            model.query(*arguments, **options)  # type: ignore[arg-type]
        assert len(caught) == 1
        assert caught[0].filename == __file__
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            model.query(*arguments, **options)  # type: ignore[arg-type]
            model.query("light(a, gren)", x)
            deepplp.Model(program, {"net": identity}).query("light(a, redd)", x, facts="light(c, redd).")
