"""`deepplp check`: everything that can be said of a program before it runs."""

from __future__ import annotations

from pathlib import Path

import pytest

import deepplp
from deepplp import errors
from deepplp.grounding import GroundBudget, Grounder, reserved_signatures
from deepplp.program import parse_goal
from tests.test_cli import run

PROGRAMS = sorted(Path(__file__).parent.parent.joinpath("programs").glob("*.pl"))


def findings(tmp_path: Path, text: str) -> list[str]:
    """The first lines of a text's findings, without the file's name."""
    file = tmp_path / "p.pl"
    file.write_text(text)
    return [str(f).splitlines()[0].removeprefix(f"{file}:") for f in deepplp.check_file(file).findings]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.3::a. query(a).", []),
        ("a :- b", ["1:1: error: this statement does not end: expected '.' before the end of the text"]),
        (
            "a :- (b.\nc.\nd(] :- c.\ne e.\n",
            [
                "1:6: error: '(' has no partner",
                "3:3: error: expected ')' before ']': the '(' of line 3, column 2 is still open",
                "4:3: error: expected an operator, ',' or '.' before this; is a comma or full stop missing?",
            ],
        ),
        ("p(X) :- q(X), qq.\nq(1).", ["1:15: error: no clauses for qq/0"]),
        ("parent(a, b).\nx(X) :- parent(X).", ["2:9: error: no clauses for parent/1; did you mean parent/2?"]),
        ("x :- findall(X, no(X), L), L = [].", ["1:17: error: no clauses for no/1"]),
        ("x :- \\+ no ; call(nope, 1).", ["1:9: error: no clauses for no/0", "1:14: error: no clauses for nope/1"]),
        (":- use_module(library(lists)).\nx(X) :- member(X, [1]), X is 1 + 0, between(0, 2, X).", []),
        ("x(X) :- member(X, [1]), maplist(p, [X]).\np(_).", []),
        (
            "f(X, Y, _Z, _) :- g(X).\ng(1).",
            ["1:1: warning: Y occurs once; write _ for a variable that does not matter"],
        ),
        ("0.3::noise(X, Y).\nq(X) :- noise(X, 1).", []),
        ("a. b :- c. c. query(b).", ["1:1: warning: a/0 is of no use to any query"]),
        ("a. b :- c. c.", []),
        ("0.3::p(1, 2). query(p(X, _)). evidence(p(_, Y), true).", []),
        (
            "0.3::p(1). r. query(p(X)) :- r.",
            ["1:15: warning: X occurs once; write _ for a variable that does not matter"],
        ),
        (
            "0.7::a; 0.6::b.",
            ["1:1: error: the probabilities of this annotated disjunction sum to 1.3, which is more than 1"],
        ),
        ("1.5::a.", ["1:1: error: the probability 1.5 of a is not between 0 and 1"]),
        ("P::a(P) :- b(P). b(0.5). t(_)::c; t(0.2)::d.", []),
        (
            "nn(n, [X]) :: p(X); 0.2::z.\nnn(n, [X]) :: p(X).\nq(X) :- r(X), p(X).",
            [
                "1:1: error: an nn annotation must be the only head of its clause; give each network a clause "
                "of its own",
                "3:9: error: no clauses for r/1",
            ],
        ),
        (
            ":- use_module('x.py').\na.",
            ["1:4: error: cannot read 'x.py': there is no file {folder}/x.py"],
        ),
    ],
)  # fmt: skip
def test_findings(tmp_path: Path, text: str, expected: list[str]) -> None:
    """All that is wrong is found at once, each with its place, and what is right is not touched."""
    assert findings(tmp_path, text) == [e.format(folder=tmp_path) for e in expected]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("0.3::a. evidence(a, maybe). query(a).", "1:18"),
        ("0.3::a. evidence(a, 0.9). query(a).", "1:18"),
        ("0.3::a. evidence(a, 1). query(a).", "1:18"),
        ("0.3::a. evidence(a, _). query(a).", "1:18"),
        ("0.3::a. 0.4::b. query((a, b)).", "1:17"),
        ("0.3::a. 0.4::b. query((a ; b)).", "1:26"),
        ("0.3::a. 0.4::b. evidence((a, b)). query(a).", "1:17"),
        ("0.3::a. query(\\+ \\+a).", "1:15"),
        ("0.3::a(1). query(\\+a(_)).", "1:18"),
        ("0.3::a. query(a). evidence(a). evidence(\\+a).", "1:19"),
        ("0.3::a. query(a). evidence(a, false). evidence(a).", "1:19"),
        ("0.3::a(\"b\"). query(a(\"b\")). evidence(a(\"b\"), false). evidence(a(\"b\"), true).", "1:29"),
    ],
)  # fmt: skip
def test_what_is_asked_and_known_is_checked(tmp_path: Path, text: str, place: str) -> None:
    """A query or evidence that asking refuses is an error of check, too, in the same line and of the same words."""
    found = [f for f in findings(tmp_path, text) if "error" in f]
    assert len(found) == 1
    assert found[0].startswith(f"{place}: error: ")
    with pytest.raises(errors.DeepPLPError) as caught:
        deepplp.Model(tmp_path / "p.pl", cache=False).query()
    assert caught.value.position is not None
    assert caught.value.position.line == 1
    said = caught.value.message.replace("itself or the program", "itself").replace("(_)", "(")
    assert said.split("(")[0] in found[0]


@pytest.mark.parametrize(
    "text",
    [
        "0.3::a. evidence(a). evidence(\\+a, false). query(a).",
        "0.3::a(1). evidence(a(X), T) :- seen(X, T). seen(1, true). query(a(1)).",
        "0.3::a(1). query(\\+X) :- asked(X). asked(a(1)).",
        "0.3::a(1). 0.4::a(2). evidence(a(1)). evidence(\\+a(2)). query(a(_)).",
    ],
)
def test_what_is_asked_and_known_runs(tmp_path: Path, text: str) -> None:
    """What rules bind and evidence that agrees with itself are no errors."""
    assert [f for f in findings(tmp_path, text) if "error" in f] == []
    deepplp.Model(tmp_path / "p.pl", cache=False).query()


def test_a_program_without_a_query_is_noted(tmp_path: Path) -> None:
    """It is no fault, since Python may ask: the command line notes it apart from findings."""
    file = tmp_path / "p.pl"
    file.write_text("0.3::a.\n")
    report = deepplp.check_file(file)
    assert report.findings == ()
    assert len(report.notes) == 1
    result = run("check", file)
    assert (result.returncode, result.stdout) == (0, f"{file}: 0 errors, 0 warnings\n")
    assert result.stderr.startswith(f"note: {file}: it has no query/1")
    file.write_text("0.3::a. query(a).\n")
    assert deepplp.check_file(file).notes == ()
    assert run("check", file).stderr == ""


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda p: p.stem)
def test_our_own_programs_are_clean(path: Path) -> None:
    """The project's programs have nothing to find."""
    assert deepplp.check_file(path).findings == ()


def test_networks_are_listed(tmp_path: Path) -> None:
    """A program's networks are listed with what they take and decide."""
    file = tmp_path / "p.pl"
    file.write_text("nn(one, [X], Y, [a, b]) :: p(X, Y).\nnn(two, [X, Y]) :: q(X, Y).\n")
    assert deepplp.check_file(file).networks == (
        f"{file}:1:1: network one: 1 input, decides one value of the domain, as nn(one, [X], Y, [a, b])",
        f"{file}:2:1: network two: 2 inputs, decides yes or no, as nn(two, [X, Y])",
    )


def test_command_line(tmp_path: Path) -> None:
    """The command prints every finding with a caret, counts them, and fails only for errors."""
    file = tmp_path / "p.pl"
    file.write_text("p(X, Y) :- q(X).\nq(1).\n")
    result = run("check", file)
    assert result.returncode == 0
    assert result.stdout == (
        f"{file}:1:1: warning: Y occurs once; write _ for a variable that does not matter\n"
        f"    p(X, Y) :- q(X).\n    ^\n{file}: 0 errors, 1 warning\n"
    )
    file.write_text("p :- q.\n")
    result = run("check", file)
    assert result.returncode == 1
    assert result.stdout.endswith(f"{file}: 1 error, 0 warnings\n")


def test_check_knows_the_predicates_that_running_knows(tmp_path: Path) -> None:
    """Of every built-in and every library's predicate, both say the same: that it is there, or where it comes from."""
    unlike = []
    for signature in sorted(reserved_signatures()):
        name, _, arity = signature.rpartition("/")
        if name.startswith("_") or not name.replace("_", "a").isalnum():
            continue
        arguments = f"({', '.join(['_'] * int(arity))})" if arity != "0" else ""
        text = f"q :- {name}{arguments}."
        found = [f for f in findings(tmp_path, text) if "error" in f]
        program = deepplp.Program.from_string(text)
        try:
            Grounder(program, budget=GroundBudget(seconds=0.2)).ground([parse_goal("q")])
            said = []
        except errors.UnknownPredicateError as error:
            said = [f"1:6: error: {error.message}"]
        except errors.DeepPLPError:  # it is there, and does not take variables
            said = []
        if found != said:
            unlike.append((signature, found, said))
    assert unlike == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("q :- call((nope, true)).", ["1:12: error: no clauses for nope/0"]),
        ("q :- try_call(nope).", []),
        (":- use_module(library(assert)).\nq :- assertz(a(1)), a(1).", []),
        (":- use_module(library(assert)).\nq(X) :- assertz((a(1) :- b)), a(X).\nb.", []),
        (":- use_module(library(assert)).\nq(X) :- assertz(X), a.", []),
        (":- use_module(library(assert)).\nq :- assertz(a(1)), a(1), aa.", ["2:27: error: no clauses for aa/0"]),
        (":- unknown(fail).\nq :- \\+ nope.", ["2:9: warning: no clauses for nope/0"]),
    ],
)
def test_predicates_that_come_while_a_program_runs(tmp_path: Path, text: str, expected: list[str]) -> None:
    """What is asserted, called if it is there, or may fail by a directive is no mistake."""
    assert [f for f in findings(tmp_path, text) if "no clauses" in f] == expected
