"""Derivations, checked against the program's text by nothing that grounding uses: substitution and a few built-ins."""

from __future__ import annotations

import itertools
import math
import operator
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache

from deepplp.formula import TRUE, And, Atom, Derivation, Formula, Neural, Or
from deepplp.program import (
    Conjunction,
    Constant,
    Disjunction,
    Not,
    Program,
    Statement,
    Term,
    Var,
    named,
    number_of,
    standard_order_key,
)

__all__ = ["check_derivations"]

Bindings = Mapping[str, Term]


def replaced(term: Term, change: Callable[[Term], Term | None]) -> Term:
    """A term with others in place of some of its subterms: ``change`` gives those, and None where nothing changes."""
    new = change(term)
    if new is not None:
        return new
    arguments = getattr(term, "args", ())
    return term.with_args(*(replaced(a, change) for a in arguments)) if arguments else term


def check_derivations(program: Program, formula: Formula) -> int:
    """Replay every derivation: its clause under its bindings is its head and its body. How many there were."""
    assert formula.derivations is not None
    assert len(formula.derivations) == len(formula.nodes)
    atoms = {}
    for index, (node, reason) in enumerate(zip(formula.nodes, formula.derivations, strict=True)):
        if isinstance(node, Or) and reason is not None:
            assert isinstance(reason, Term)
            atoms[index + 1] = reason
            for child in node.children:
                below = formula.derivations[child - 1]
                assert child > 0
                assert (isinstance(below, Derivation) and below.head == reason) or isinstance(
                    formula.nodes[child - 1], Or
                )
    found = [d for d in formula.derivations if isinstance(d, Derivation)]
    for node, reason in zip(formula.nodes, formula.derivations, strict=True):
        if isinstance(reason, Derivation):
            assert isinstance(node, And)
            _check(program, formula, atoms, node, reason)
    return len(found)


def _check(program: Program, formula: Formula, atoms: Mapping[int, Term], node: And, derivation: Derivation) -> None:
    literals = [g.literal for g in derivation.body if g.literal != TRUE]
    chosen = [] if derivation.choice in (None, TRUE) else [derivation.choice]
    assert node.children == tuple(dict.fromkeys([*literals, *chosen]))
    bindings = dict(derivation.bindings)
    assert len(bindings) == len(derivation.bindings)
    for goal in derivation.body:
        if abs(goal.literal) in atoms:
            shown = atoms[abs(goal.literal)]
            depth = _negations(goal.term)
            inner = goal.term
            for _ in range(depth):
                inner = inner.args[0]
            assert (goal.literal > 0) == (goal.positive == (depth % 2 == 0)), str(derivation)
            assert _match(_bare(shown), _bare(inner), {}), f"{shown} is no {inner}"
        else:
            assert goal.literal == TRUE, f"{goal} has neither a node nor is it a built-in"
            assert _holds(goal.term) == goal.positive, str(derivation)
    shown = [(g.positive, replaced(g.term, lambda t: _value(t, bindings))) for g in derivation.body]
    head = replaced(derivation.head, lambda t: _value(t, bindings))
    statement = _statement(program, derivation)
    if statement is None:
        assert derivation.clause.library is not None
        return
    written = [(h, b) for h, b in _clauses(statement)]
    own = {} if derivation.clause.statement is None else bindings
    assert any(_instance(head, shown, h, b, own) for h, b in written), f"{derivation} is no {statement.term}"
    if derivation.choice is not None and derivation.choice > TRUE:
        _check_choice(formula, derivation, statement)


def _check_choice(formula: Formula, derivation: Derivation, statement: Statement) -> None:
    """The choice's value is the head, or what the network says the output is."""
    assert derivation.choice is not None
    node = formula.nodes[derivation.choice - 1]
    assert isinstance(node, Atom)
    choice = formula.choices[node.choice]
    value = choice.values[node.value]
    if not isinstance(choice.origin, Neural):
        assert str(value) == str(named(derivation.head))
        return
    declared = choice.origin.declaration
    assert declared == statement.neural
    assert [str(i) for i in choice.origin.inputs] == [
        str(replaced(i, lambda t: _value(t, dict(derivation.bindings)))) for i in declared.inputs
    ]
    if declared.output is not None:
        assert str(dict(derivation.bindings)[str(declared.output)]) == str(value)


def _statement(program: Program, derivation: Derivation) -> Statement | None:
    source = derivation.clause
    if source.statement is not None:
        statement = program.statements[source.statement]
        assert source.position == statement.position
        assert source.library is None
        return statement
    if source.position is None:
        return None
    lines = {s.position.line: s for s in _library(source.position.file).statements}
    return lines[source.position.line]


@cache
def _library(path: str) -> Program:
    assert os.path.isfile(path)
    return Program.from_file(path)


def _clauses(statement: Statement) -> Iterator[tuple[Term, list[tuple[bool, Term]]]]:
    """The clauses that a statement is: head and goals; a disjunction in a body is one, with each of its branches."""
    heads, body = statement.heads_and_body()
    for head in heads:
        yield head.with_probability(None), _literals(body)
    stack = [] if body is None else [body]
    while stack:
        goal = stack.pop()
        if isinstance(goal, (Conjunction, Disjunction, Not)):
            stack.extend(goal.args)
            if not isinstance(goal, Not):
                yield from ((goal, _literals(branch)) for branch in _flat(goal, Disjunction))


def _literals(body: Term | None) -> list[tuple[bool, Term]]:
    goals = [] if body is None else [g for g in _flat(body, Conjunction) if str(g) != "true"]
    return [(False, g.args[0]) if isinstance(g, Not) or g.signature == "not/1" else (True, g) for g in goals]


def _flat(goal: Term, kind: type) -> list[Term]:
    return [g for part in goal.args for g in _flat(part, kind)] if isinstance(goal, kind) else [goal]


def _instance(
    head: Term,
    body: Sequence[tuple[bool, Term]],
    written_head: Term,
    written: Sequence[tuple[bool, Term]],
    bindings: Bindings,
) -> bool:
    """Whether head and body are what a clause is under bindings; variables that have none stand for one term each."""
    if [p for p, _ in body] != [p for p, _ in written]:
        return False
    substituted = [replaced(t, lambda v: _value(v, bindings)) for t in (written_head, *(t for _, t in written))]
    more: dict[str, Term] = {}
    return all(_match(a, b, more) for a, b in zip((head, *(t for _, t in body)), substituted, strict=True))


def _match(shown: Term, written: Term, bindings: dict[str, Term]) -> bool:
    if isinstance(written, Var):
        name = str(written)
        return name == "_" or str(bindings.setdefault(name, shown)) == str(shown)
    if isinstance(written, (Conjunction, Disjunction)) and type(shown) is type(written):
        parts = list(itertools.zip_longest(_flat(shown, type(written)), _flat(written, type(written))))
        return all(a is not None and b is not None and _match(a, b, bindings) for a, b in parts)
    if isinstance(shown, Var) or shown.functor != written.functor or shown.arity != written.arity:
        return False
    if isinstance(written, Constant) and type(shown.functor) is not type(written.functor):
        return False
    return all(_match(a, b, bindings) for a, b in zip(shown.args, written.args, strict=True))


def _bare(term: Term) -> Term:
    """A term whose variables have no names, as they are in an atom with free variables."""
    return replaced(term, lambda t: Var("_") if isinstance(t, Var) else None)


def _negations(term: Term) -> int:
    """How many negations stand before a goal."""
    count = 0
    while isinstance(term, Not):
        term, count = term.args[0], count + 1
    return count


def _value(term: Term, bindings: Bindings) -> Term | None:
    return bindings.get(str(term)) if isinstance(term, Var) else None


def _holds(goal: Term) -> bool:
    """Whether a built-in holds, as its arguments stand there."""
    if isinstance(goal, Not):
        return not _holds(goal.args[0])
    name = str(goal.functor).strip("'")
    if name in _COMPARISONS:
        return bool(_COMPARISONS[name](*(number_of(a) for a in goal.args)))
    return bool(_TESTS[f"{name}/{goal.arity}"](*goal.args))


_COMPARISONS = {
    "<": operator.lt, ">": operator.gt, "=<": operator.le, ">=": operator.ge, "=:=": operator.eq, "=\\=": operator.ne,
}  # fmt: skip


def _is(value: Term, expression: Term) -> bool:
    result = number_of(expression)
    return type(value.functor) is type(result) and math.isclose(value.functor, result)


def _equal(a: Term, b: Term) -> bool:
    """Whether two terms that unification has made equal are; variables that are left stand for themselves."""
    return str(a) == str(b)


def _unifiable(a: Term, b: Term) -> bool:
    if isinstance(a, Var) or isinstance(b, Var):
        return True
    return a.functor == b.functor and a.arity == b.arity and all(map(_unifiable, a.args, b.args))


_TESTS = {
    "is/2": _is,
    "=/2": _unifiable,
    "\\=/2": lambda a, b: not _unifiable(a, b),
    "==/2": _equal,
    "\\==/2": lambda a, b: not _equal(a, b),
    "@</2": lambda a, b: standard_order_key(a) < standard_order_key(b),
    "between/3": lambda low, high, x: low.functor <= x.functor <= high.functor,
    "var/1": lambda a: isinstance(a, Var),
    "nonvar/1": lambda a: not isinstance(a, Var),
    "=../2": lambda term, parts: [str(p) for p in _items(parts)] == [str(term.functor), *map(str, term.args)],
    "fail/0": lambda: False,
    "false/0": lambda: False,
    "true/0": lambda: True,
}


def _items(term: Term) -> list[Term]:
    items = []
    while term.functor == "." and term.arity == 2:
        items.append(term.args[0])
        term = term.args[1]
    return items
