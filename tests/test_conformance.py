"""The language, construct by construct: every program in tests/programs does what its header works out by hand.

A header says what a program shows, how its numbers come about, and in lines of their own what a test can check:

    % Expected outcome:          all answers, one a line: atom : probability
    % No answer: q(_)            a query of which nothing can be proved
    % Expected log evidence: x   x is a number, or log(number)
    % Expected gradient:         d query / d head : derivative by the probability of a learnable head
    % Expected error: Class      with lines "% at line:column" (or file:line:column) and "% says text"
    % Declined: reason           the tabled engine leaves it to ProbLog's engine, for this reason; all others it grounds
    % Allow python, % Prints: text, % ProbLog differs: why

Programs whose names start with neural_ have networks, and a test of their own.
"""

from __future__ import annotations

import itertools
import math
import re
import shutil
import sqlite3
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

import deepplp
from deepplp import errors
from deepplp.cli import main
from deepplp.grounding import Grounder, hints
from tests.oracles import problog_probabilities
from tests.test_cli import run

FOLDER = Path(__file__).parent / "programs"
NAMES = sorted(p.stem for p in FOLDER.glob("*.pl") if not p.stem.startswith("neural_"))


@dataclass(frozen=True)
class Header:
    """What a program's header promises."""

    outcome: dict[str, float]
    unanswered: tuple[str, ...]
    log_evidence: float | None
    gradient: tuple[tuple[str, str, float], ...]
    error: str | None
    place: str | None
    says: tuple[str, ...]
    allow_python: bool
    prints: str
    problog_differs: bool
    declined: str | None


def block(text: str, title: str) -> list[tuple[str, str]]:
    """The pairs ``left : right`` below a title."""
    _, found, rest = text.partition(f"% {title}:\n")
    pairs: list[tuple[str, str]] = []
    for line in rest.splitlines() if found else []:
        pair = re.fullmatch(r"% (.+) : (\S+)", line)
        if pair is None:
            break
        pairs.append((pair[1], pair[2]))
    return pairs


def number(text: str) -> float:
    """A number, or the logarithm of one."""
    logarithm = re.fullmatch(r"log\((.+)\)", text)
    return math.log(float(logarithm[1])) if logarithm else float(text)


def header(name: str) -> Header:
    """Read the header of a program."""
    text = (FOLDER / f"{name}.pl").read_text(encoding="utf-8-sig")

    def lines(start: str) -> list[str]:
        return re.findall(rf"^% {start}(.*)$", text, re.M)

    evidence = lines("Expected log evidence: ")
    gradients = [(re.fullmatch(r"d (.+) / d (.+)", left), right) for left, right in block(text, "Expected gradient")]
    return Header(
        {term: float(p) for term, p in block(text, "Expected outcome")},
        tuple(lines("No answer: ")),
        number(evidence[0]) if evidence else None,
        tuple((m[1], m[2], float(value)) for m, value in gradients if m is not None),
        next(iter(lines("Expected error: ")), None),
        next(iter(lines("at ")), None),
        tuple(lines("says ")),
        bool(lines("Allow python")),
        "".join(line + "\n" for line in lines("Prints: ")),
        bool(lines("ProbLog differs: ")),
        next(iter(lines("Declined: ")), None),
    )


HEADERS = {name: header(name) for name in NAMES}
RIGHT = [name for name in NAMES if HEADERS[name].error is None]
WRONG = [name for name in NAMES if HEADERS[name].error is not None]
LEARNABLE = [name for name in RIGHT if HEADERS[name].gradient]
# Where a call with a known argument finds another first rule than one that finds the argument.
NOT_STEADFAST = {"library_cut", "library_control"}
SAMPLE = ["csv_load", "error_cut"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the programs, with the data bases that their texts describe."""
    copy = tmp_path_factory.mktemp("conformance") / "programs"
    shutil.copytree(FOLDER, copy)
    for script in copy.glob("tables/*.sql"):
        connection = sqlite3.connect(script.with_suffix(".sqlite"))
        connection.executescript(script.read_text())
        connection.close()
    return copy


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """The command line replaces how warnings are shown; importing Python files makes importlib warn."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        yield


def close(value: float) -> object:
    """A number up to rounding; zero up to nothing that counts."""
    return pytest.approx(value, rel=1e-9, abs=1e-15 if value == 0 else 0.0)


def model_of(folder: Path, name: str) -> deepplp.Model:
    """The model of a program."""
    return deepplp.Model(folder / f"{name}.pl", allow_python=HEADERS[name].allow_python)


@pytest.mark.parametrize("name", NAMES)
def test_header_says_something(name: str) -> None:
    """Every program says what it shows, how its numbers come about, and what is expected."""
    text = (FOLDER / f"{name}.pl").read_text(encoding="utf-8-sig")
    assert re.match(r"% .{10,}\n%\n% ", text)
    found = HEADERS[name]
    assert bool(found.outcome) != bool(found.error)
    assert ("% By hand: " in text) == (found.error is None)
    assert found.error is None or (found.says and (found.error in errors.__all__))


@pytest.mark.parametrize("name", RIGHT)
def test_library(folder: Path, name: str) -> None:
    """The answers are exactly those that the header works out, and so is the probability of the evidence."""
    found = HEADERS[name]
    answers = model_of(folder, name).query()
    assert dict(zip(answers.terms, answers.probs[0].tolist(), strict=True)) == {
        term: close(p) for term, p in found.outcome.items()
    }
    assert len(answers.unanswered) == len(found.unanswered)
    assert float(answers.log_evidence[0].detach()) == pytest.approx(found.log_evidence or 0.0, abs=1e-9)


@pytest.mark.parametrize("name", RIGHT)
def test_engine(folder: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The tabled engine grounds every program but those whose header says why it does not."""
    found = HEADERS[name]
    program = deepplp.Program.from_file(folder / f"{name}.pl")
    grounding = Grounder(program, allow_python=found.allow_python).trace()
    assert (grounding.declined and grounding.declined.reason) == found.declined
    assert grounding.engine == ("tabled" if found.declined is None else "problog")


def command_line(
    path: Path, allow_python: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[int, str, str]:
    """The exit status of ``deepplp prob FILE`` and what it prints, in this process."""
    monkeypatch.setattr(sys, "argv", ["deepplp", "prob", *(["--allow-python"] if allow_python else []), str(path)])
    with pytest.raises(SystemExit) as ended:
        main()
    printed = capsys.readouterr()
    return int(ended.value.code or 0), printed.out, printed.err


@pytest.mark.parametrize("name", RIGHT)
def test_command_line(
    folder: Path, name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command line prints the same answers, to eight digits, nothing else, and ends with status 0."""
    found = HEADERS[name]
    status, out, err = command_line(folder / f"{name}.pl", found.allow_python, monkeypatch, capsys)
    assert (status, err) == (0, "")
    assert out.startswith(found.prints)
    lines = [line.rpartition(":\t") for line in out.removeprefix(found.prints).splitlines()]
    printed = {term.strip(): float(value) for term, _, value in lines}
    expected = {term: pytest.approx(p, rel=1e-6) for term, p in found.outcome.items()}
    assert {t: v for t, v in printed.items() if t in expected} == expected
    assert [v for t, v in printed.items() if t not in expected] == [0.0] * len(found.unanswered)


@pytest.mark.parametrize("name", WRONG)
def test_error(folder: Path, name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A mistake is the named error, at its place, with a caret; the command line says the same and ends with 1."""
    found = HEADERS[name]
    with pytest.raises(errors.DeepPLPError) as caught:
        model_of(folder, name).query()
    assert type(caught.value).__name__ == found.error
    for text in found.says:
        assert text in str(caught.value)
    if found.place is not None:
        assert caught.value.position is not None
        own = found.place if found.place.count(":") == 2 else f"{name}.pl:{found.place}"
        assert str(caught.value.position) == str(folder / own)
        assert str(caught.value).endswith("^")
    status, out, err = command_line(folder / f"{name}.pl", found.allow_python, monkeypatch, capsys)
    assert (status, out, err) == (1, "", f"{caught.value}\n")


@pytest.mark.parametrize("name", SAMPLE)
def test_process(folder: Path, name: str) -> None:
    """A process of its own does what the command line does in this one."""
    found = HEADERS[name]
    result = run("prob", *(["--allow-python"] if found.allow_python else []), folder / f"{name}.pl")
    assert result.returncode == (0 if found.error is None else 1)
    assert "Traceback" not in result.stderr
    for term in found.outcome:
        assert f"{term}:\t" in result.stdout


@pytest.mark.parametrize(
    "name", [n for n in RIGHT if not HEADERS[n].problog_differs and not n.startswith("learnable_")]
)
def test_problog_agrees(
    folder: Path, name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """ProbLog gives the same probabilities, where it can run the program and does not say otherwise in its header."""
    found = HEADERS[name]
    monkeypatch.chdir(folder)
    warnings.simplefilter("ignore")  # ProbLog warns of == and \\==, and leaves files open
    theirs = problog_probabilities((folder / f"{name}.pl").read_text(encoding="utf-8-sig"))
    capsys.readouterr()
    assert {term: theirs.get(term) for term in found.outcome} == {
        term: pytest.approx(p, abs=1e-9) for term, p in found.outcome.items()
    }


@pytest.mark.parametrize("name", [n for n in RIGHT if n not in NOT_STEADFAST])
def test_evidence(folder: Path, name: str) -> None:
    """Evidence that an answer holds makes it certain, and the evidence as likely as both together were."""
    found = HEADERS[name]
    model = model_of(folder, name)
    terms = [t for t, p in found.outcome.items() if 0 < p < 1 and "_" not in t and not t.startswith("\\+")]
    for term in terms[:2]:
        for holds, p in ((True, found.outcome[term]), (False, 1 - found.outcome[term])):
            answers = model.query(term, evidence={term: holds})
            assert float(answers.probs[0, 0].detach()) == pytest.approx(1.0 if holds else 0.0, abs=1e-9)
            assert float(answers.log_evidence[0].detach()) == pytest.approx(
                (found.log_evidence or 0.0) + math.log(p), rel=1e-9, abs=1e-12
            )


def derivative(model: deepplp.Model, term: str, head: str) -> float:
    """The derivative of an answer's probability by the probability of a learnable head; what is left is none's."""
    answers = model.query()
    model.zero_grad()
    answers.probs[0, answers.terms.index(term)].backward()
    for clause in model.program.learnables:
        if head in clause.heads:
            logits = model.distributions.logits[f"clause{clause.index}"]
            value = clause.heads.index(head)
            probabilities = torch.softmax(logits.detach(), dim=0)
            assert logits.grad is not None
            # By the chain rule through softmax: g_i = p_i (D_i - sum_j p_j D_j), and D_i - D_none is asked for.
            scaled = logits.grad / probabilities
            return float(scaled[value] - scaled[-1])
    raise AssertionError(f"no learnable head {head}")


@pytest.mark.parametrize("name", LEARNABLE)
def test_gradient(folder: Path, name: str) -> None:
    """The derivatives by learnable probabilities are those that the header works out."""
    model = model_of(folder, name)
    for term, head, expected in HEADERS[name].gradient:
        assert derivative(model, term, head) == pytest.approx(expected, rel=1e-9, abs=1e-12), (term, head)


NUMBER = re.compile(r"(?<![\w.)*/])(0\.\d+|\d/\d)(?=::)")
# Their probabilities become terms, or are too near to 0 or 1 for a parameter that starts there.
NO_PARAMETERS = {
    "library_subquery",
    "subquery_conjunction",
    "fact_very_small",
    "fact_nearly_certain",
    "ad_extreme_heads",
    "fact_certain_and_impossible",
}


def learnable_text(name: str) -> str | None:
    """The program with ``t(p)`` for every probability p that is a number; None if it has none."""
    text = (FOLDER / f"{name}.pl").read_text(encoding="utf-8-sig")
    start = text.index("\n\n")
    changed = NUMBER.sub(r"t(\1)", text[start:])
    return text[:start] + changed if changed != text[start:] else None


@pytest.mark.parametrize(
    "name", [n for n in RIGHT if n not in NO_PARAMETERS and n[:6] != "assert" and learnable_text(n) is not None]
)
def test_every_construct_has_gradients(folder: Path, name: str) -> None:
    """With learnable probabilities in place of numbers the answers stay, and central differences confirm gradients."""
    text = learnable_text(name)
    assert text is not None
    path = folder / f"{name}_learnable.pl"
    path.write_text(text)
    found = HEADERS[name]
    model = deepplp.Model(path, allow_python=found.allow_python)
    answers = model.query()
    expected = [found.outcome.get(t, 0.0) for t in answers.terms]  # lists that only numbers rule out have 0
    assert set(found.outcome) <= set(answers.terms)
    torch.testing.assert_close(answers.probs[0].detach(), torch.tensor(expected, dtype=torch.float64))
    if not answers.probs.requires_grad:  # nothing that was learnt has part in an answer
        return
    weights = torch.linspace(0.5, 1.5, len(answers.terms), dtype=torch.float64)
    (answers.probs[0] @ weights).backward()
    for parameter in model.parameters():
        gradient = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        for index in range(min(len(parameter), 2)):
            values = []
            for step in (1e-6, -1e-6):
                with torch.no_grad():
                    parameter[index] += step
                    values.append(float(model.query().probs[0].detach() @ weights))
                    parameter[index] -= step
            assert float(gradient[index]) == pytest.approx((values[0] - values[1]) / 2e-6, rel=1e-5, abs=1e-8)


# These take answers: those of a rule's body, and what evidence comes to.
NEEDS_A_RUN = ("error_evidence_impossible", "error_evidence_uncertain")
# What can be said without running a program, deepplp check says, at the same place.
CHECKED = [
    n for n in WRONG
    if HEADERS[n].error in ("ProgramSyntaxError", "UnsupportedConstructError", "InvalidProbabilityError")
    or HEADERS[n].error in ("UnknownPredicateError", "ProgramFileError")
    or (n.startswith(("error_evidence", "error_query")) and n not in NEEDS_A_RUN)
    if not HEADERS[n].allow_python and not n.startswith(("error_state", "error_subquery_of_a_"))
]  # fmt: skip


@pytest.mark.parametrize("name", CHECKED)
def test_check(folder: Path, name: str) -> None:
    """``deepplp check`` finds the mistake, too, in the same line."""
    found = HEADERS[name]
    assert found.place is not None
    place = found.place if found.place.count(":") == 2 else f"{name}.pl:{found.place}"
    report = deepplp.check_file(folder / f"{name}.pl")
    lines = {f"{f.position.file}:{f.position.line}" for f in report.findings if f.severity == "error" and f.position}
    assert str(folder / place.rpartition(":")[0]) in lines
    assert any(found.says[0].rpartition("; the program")[0] in f.message for f in report.findings)


@pytest.mark.parametrize("name", [n for n in RIGHT if not HEADERS[n].allow_python])
def test_check_finds_no_error_in_what_runs(folder: Path, name: str) -> None:
    """Where a program gives answers, ``deepplp check`` finds nothing wrong."""
    report = deepplp.check_file(folder / f"{name}.pl")
    assert [f for f in report.findings if f.severity == "error" or "never holds" in f.message] == []


def answers_of(text: str) -> dict[str, float]:
    """The answers of a program's own queries."""
    answers = deepplp.Model(deepplp.Program.from_string(text)).query()
    return dict(zip(answers.terms, answers.probs[0].tolist(), strict=True))


def test_many_facts() -> None:
    """10,000 facts: P(some of them) = 1 - 0.9999^10000."""
    facts = "\n".join(f"0.0001::p({i})." for i in range(10_000))
    assert answers_of(f"{facts}\nsome :- p(_).\nquery(some).\nquery(p(77)).") == {
        "some": close(1 - 0.9999**10_000),
        "p(77)": close(0.0001),
    }


def test_long_bodies() -> None:
    """A body of 500 goals: 0.99^500."""
    facts = "\n".join(f"0.99::p{i}." for i in range(500))
    assert answers_of(f"{facts}\nall :- {', '.join(f'p{i}' for i in range(500))}.\nquery(all).") == {
        "all": close(0.99**500)
    }


def test_long_lists() -> None:
    """A list of 2,000 items is walked, and found to be as long as it is."""
    items = ",".join(map(str, range(2000)))
    text = f"0.5::p. n([], 0) :- p. n([_|T], N) :- n(T, M), N is M + 1. q(N) :- n([{items}], N). query(q(_))."
    assert answers_of(text) == {"q(2000)": close(0.5)}


def test_deep_recursion() -> None:
    """Counting down from 5,000 is no deeper than the engine goes."""
    text = "0.5::p. down(0) :- p. down(N) :- N > 0, M is N - 1, down(M). query(down(5000))."
    assert answers_of(text) == {"down(5000)": close(0.5)}


@pytest.mark.parametrize("text", ["", "\n\n", "% nothing but a comment", "/* nothing\nbut a comment */"])
def test_programs_that_say_nothing(text: str) -> None:
    """A program may be empty: it asks nothing, and says how to ask."""
    program = deepplp.Program.from_string(text)
    assert deepplp.probabilities(program) == {}
    with pytest.raises(errors.QueryError, match=r"the program has no query/1; give the query, such as model\.query"):
        deepplp.Model(program).query()
    answers = deepplp.Model(deepplp.Program.from_string(f"{text}\nquery(X) :- fail.")).query()
    assert answers.terms == ()


ASSERTING = ":- use_module(library(assert)). q(N) :- assertz(p(1)), findall(X, p(X), L), length(L, N). query(q(_))."


def test_queries_leave_no_trace_in_the_program() -> None:
    """What a query adds to the data base is gone in the next query, and never was in another model's."""
    first, second = (deepplp.Model(deepplp.Program.from_string(ASSERTING)) for _ in range(2))
    for _ in range(2):
        assert first.query("q(N)").terms == ("q(1)",)
        assert second.query("q(N)").terms == ("q(1)",)
        assert first.query("q(1)").probs.tolist() == [[1.0]]
        assert first.query(["q(1)", "q(2)"]).probs.tolist() == [[1.0, 1.0]]  # one call: one data base


def test_findall_below_a_negation_in_a_cycle() -> None:
    r"""findall/3 grounds its goal apart, also where the engine has come to evaluate negations one by one.

    By hand: l(1) holds with 0.3, so that r, its negation, holds with 0.7, and reach(2) needs the edge and r.
    """
    text = r"""
    0.3::a. 0.5::e(1, 2). 0.5::e(2, 1).
    l(N) :- findall(x, a, L), length(L, N).
    reach(1). reach(Y) :- reach(X), e(X, Y), \+ blocked(Y).
    blocked(X) :- X > 1, \+ r(X).
    r(X) :- l(0), \+ far(X).
    far(X) :- X > 5, reach(X).
    query(reach(2)).
    """
    assert answers_of(text) == {"reach(2)": close(0.35)}


def reached(edges: list[tuple[int, int]]) -> list[int]:
    """The nodes that lead from node 1 along edges, by search."""
    found: list[int] = []
    waiting = [1]
    while waiting:
        node = waiting.pop()
        for start, end in edges:
            if start == node and end not in found:
                found.append(end)
                waiting.append(end)
    return sorted(found)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("collect", ["findall", "all_or_none"])
def test_collected_answers_are_those_of_every_world(seed: int, collect: str) -> None:
    """In graphs with cycles, the probability of a list is the sum over the worlds that have it: enumeration of all."""
    random = np.random.default_rng(seed)
    pairs = [(a, b) for a in range(1, 5) for b in range(1, 5)]
    edges = [pairs[i] for i in random.choice(len(pairs), 6, replace=False)]
    chances = random.integers(1, 10, len(edges)) / 10
    worlds: dict[str, float] = {}
    for holds in itertools.product((True, False), repeat=len(edges)):
        chance = math.prod(p if h else 1 - p for p, h in zip(chances, holds, strict=True))
        found = str(reached([e for e, h in zip(edges, holds, strict=True) if h]))
        worlds[f"q({found})"] = worlds.get(f"q({found})", 0.0) + chance
    facts = " ".join(f"{p}::e({a},{b})." for p, (a, b) in zip(chances, edges, strict=True))
    rules = "p(X,Y) :- e(X,Y). p(X,Y) :- e(X,Z), p(Z,Y). r(Y) :- p(1,Y)."
    listed = answers_of(f"{facts} {rules} q(S) :- {collect}(Y, r(Y), L), sort(L, S). query(q(_)).")
    assert {t: p for t, p in listed.items() if p > 0} == {t: close(p) for t, p in worlds.items()}


def test_endless_recursion_is_a_named_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A recursion that does not end is stopped while there is memory left, and the error says where."""
    monkeypatch.setattr("deepplp.grounding.ground_budget._MOST_OPEN", 2000)
    with pytest.raises(errors.BudgetExceededError, match=r"^p\.pl:1:\d+: more than 2000 goals wait for this one"):
        deepplp.Model(deepplp.Program.from_string("p(N) :- M is N + 1, p(M).\nquery(p(0)).", "p.pl")).query()


def test_hints_are_about_what_problog_lacks() -> None:
    """No predicate that is called missing exists, and those said to be in a library are."""
    plain = Grounder(deepplp.Program.from_string(""))
    for signature in hints._INSTEAD:
        assert not plain.is_defined(signature), signature
    for library, exported in hints._LIBRARIES.items():
        loaded = Grounder(deepplp.Program.from_string(f":- use_module(library({library}))."), allow_python=True)
        for signature in exported.split():
            assert loaded.is_defined(signature), signature
            assert not plain.is_defined(signature), signature


def test_what_hints_say_instead_exists() -> None:
    """Every predicate that a hint names in place of another is there, in ProbLog or in a library that it names."""
    libraries = "".join(
        f":- use_module(library({name})). " for name in ("lists", "apply", "string", "aggregate", "assert")
    )
    grounder = Grounder(deepplp.Program.from_string(libraries))
    for signature, instead in hints._INSTEAD.items():
        for named in re.findall(r"(?<![\w'])([a-z]\w*/\d)\b", instead):
            assert grounder.is_defined(named), f"{signature}: {named}"


@pytest.mark.parametrize(
    ("instead", "expected"),
    [
        ("maplist([K-V, K, V]>>true, [a-1, b-2], X, _)", "q([a, b])"),
        ("maplist([_-V, V]>>true, [a-1, b-2], X)", "q([1, 2])"),
        ("[First|Rest] = [1, 2, 3], foldl([A, B, C]>>(C is A + B), Rest, First, X)", "q(6)"),
        ("member(b-X, [a-1, b-2])", "q(2)"),
    ],
)
def test_goals_that_hints_say_instead(instead: str, expected: str) -> None:
    """A goal that a hint gives in place of a predicate does what that would."""
    answers = deepplp.Model(deepplp.Program.from_string(f"q(X) :- {instead}.")).query("q(X)")
    assert answers.terms == (expected,)


def test_there_are_enough() -> None:
    """The suite holds at least 120 programs."""
    assert len(list(FOLDER.glob("*.pl"))) >= 120
