"""Laws that hold whatever a program means: ways of writing it differently that change no answer."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given

import deepplp
from deepplp.errors import InconsistentEvidenceError
from tests.oracles import FirstOrderProgram, PlainProgram
from tests.strategies import first_order_programs, programs

Answers = dict[str, float] | None


def answers_of(text: str) -> Answers:
    """The answers to a program's own queries, None where its evidence is impossible."""
    try:
        found = deepplp.Model(deepplp.Program.from_string(text)).query()
    except InconsistentEvidenceError:
        return None
    return dict(zip(found.terms, found.probs[0].tolist(), strict=True))


def same(found: Answers, expected: Answers) -> None:
    """Both impossible, or equal."""
    if expected is None:
        assert found is None
    else:
        assert found == pytest.approx(expected, abs=1e-12)


def _reordered_clauses(program: PlainProgram) -> str:
    return replace(program, rules=program.rules[::-1]).text()


def _reordered_bodies(program: PlainProgram) -> str:
    return replace(program, rules=tuple(replace(r, body=r.body[::-1]) for r in program.rules)).text()


def _duplicated_subgoals(program: PlainProgram) -> str:
    return replace(program, rules=tuple(replace(r, body=r.body + r.body) for r in program.rules)).text()


def _impossible_rule(program: PlainProgram) -> str:
    return program.text() + "\n" + "\n".join(f"{a} :- fail." for layer in program.layers for a in layer)


def _impossible_choice(program: PlainProgram) -> str:
    return program.text() + "\n0.0::nothing.\n" + "\n".join(f"{a} :- nothing." for a in program.layers[0])


def _certain_evidence(program: PlainProgram) -> str:
    return (
        program.text()
        + "\ncertain. 1.0::sure.\nevidence(certain). evidence(sure, true). evidence(\\+doubt). doubt :- fail."
    )


def _named_bodies(program: PlainProgram) -> str:
    """Every body gets a name of its own, a predicate that says the same."""
    lines = program.text().split("\n")
    named = [
        re.sub(r"^(.*?) :- (?!fail)(.*)\.$", rf"\1 :- body{i}. body{i} :- \2.", line) for i, line in enumerate(lines)
    ]
    return "\n".join(named)


LAWS: list[Callable[[PlainProgram], str]] = [
    _reordered_clauses,
    _reordered_bodies,
    _duplicated_subgoals,
    _impossible_rule,
    _impossible_choice,
    _certain_evidence,
    _named_bodies,
]


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__.strip("_"))
@given(program=programs())
def test_rewriting_changes_nothing(law: Callable[[PlainProgram], str], program: PlainProgram) -> None:
    """A program rewritten by a law has the answers of the original."""
    same(answers_of(law(program)), answers_of(program.text()))


@given(program=programs())
def test_renaming_changes_only_names(program: PlainProgram) -> None:
    """Atoms by other names, in another alphabetical order, have the same probabilities."""
    renamed = answers_of(re.sub(r"\ba(\d+)\b", lambda m: f"z{99 - int(m[1])}", program.text()))
    if renamed is not None:
        renamed = {re.sub(r"\bz(\d+)\b", lambda m: f"a{99 - int(m[1])}", term): p for term, p in renamed.items()}
    same(renamed, answers_of(program.text()))


@given(program=programs())
def test_queries_one_by_one(program: PlainProgram) -> None:
    """Queries asked one by one, in models of their own, have the answers that they have together."""
    expected = answers_of(program.text())
    for query in program.queries:
        alone = answers_of(replace(program, queries=(query,)).text())
        same(alone, None if expected is None else {query: expected[query]})


@given(program=programs())
def test_the_complement(program: PlainProgram) -> None:
    """A query and its negation sum to one."""
    text = re.sub(r"query\((\w+)\)\.", r"query(\1). query(\\+\1).", program.text())
    found = answers_of(text)
    if found is not None:
        for query in program.queries:
            assert found[query] + found[f"\\+{query}"] == pytest.approx(1.0, abs=1e-12)


@given(program=programs())
def test_the_law_of_total_probability(program: PlainProgram) -> None:
    """P(q) = P(q | e) P(e) + P(q | not e) P(not e), for an atom e of the program."""
    plain = replace(program, evidence=())
    event = plain.layers[0][0]
    model = deepplp.Model(deepplp.Program.from_string(plain.text()))
    expected = model.query(list(plain.queries)).probs[0]
    total = 0.0 * expected
    for value in (True, False):
        try:
            answers = model.query(list(plain.queries), evidence={event: value})
        except InconsistentEvidenceError:
            continue
        total = total + answers.probs[0] * answers.log_evidence.exp()
    assert total.tolist() == pytest.approx(expected.tolist(), abs=1e-12)


@given(program=first_order_programs())
def test_names_of_variables_mean_nothing(program: FirstOrderProgram) -> None:
    """Variables by other names, which sort and begin otherwise, change no answer."""
    names = {"X": "Zeta", "Y": "_1a"}
    renamed = re.sub(r"\b[XY]\b", lambda m: names[m[0]], program.text())
    assert renamed != program.text() or not re.search(r"\b[XY]\b", program.text())
    same(answers_of(renamed), answers_of(program.text()))


@given(program=first_order_programs())
def test_goals_twice_with_variables(program: FirstOrderProgram) -> None:
    """Bodies with variables may say every goal twice."""
    doubled = replace(program, clauses=tuple(replace(c, body=c.body + c.body) for c in program.clauses))
    same(answers_of(doubled.text()), answers_of(program.text()))


@given(program=first_order_programs())
def test_a_query_split_in_two(program: FirstOrderProgram) -> None:
    """A query with a free variable has the answers of the queries with each constant in its place."""
    found = answers_of(program.text())
    split = tuple(
        replace(q, arguments=tuple(c if a == "X" else a for a in q.arguments))
        for q in program.queries
        for c in (program.constants if "X" in q.arguments else program.constants[:1])
    )
    parts = answers_of(replace(program, queries=tuple(dict.fromkeys(split))).text())
    if found is None:
        assert parts is None
    else:
        assert parts is not None
        assert {t: p for t, p in parts.items() if p > 0} == pytest.approx(
            {t: p for t, p in found.items() if p > 0}, abs=1e-12
        )
