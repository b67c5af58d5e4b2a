"""Grammar rules: ``head --> body`` as a clause whose last two arguments are the text before and behind what it parses.

The translation is that of ISO/IEC TR 13211-3 (definite clause grammars). A text is a list, most often of words or of
characters; a string in a body stands for the list of its characters. ``p::head --> body`` is the probabilistic clause
that it is translated to: one choice for each place in the text where the rule is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, count

from problog.logic import And, AnnotatedDisjunction, Clause, Constant, Not, Or, Term, Var

from deepplp.program.terms import list_items
from deepplp.program.values import quote

__all__ = ["GrammarError", "characters", "clause_of_rule", "goal_of_body", "is_grammar_rule"]

_ALTERNATIVES = ("|", "'|'")
_IF_THEN = ("'->'", "'*->'")


class GrammarError(Exception):
    """Something cannot be part of a grammar rule; ``term`` is what."""

    def __init__(self, message: str, term: object) -> None:
        super().__init__(message)
        self.term = term


def is_grammar_rule(term: Term) -> bool:
    """Whether a term is ``head --> body``."""
    return str(term.functor) == "'-->'" and term.arity == 2


def clause_of_rule(rule: Term) -> Term:
    """The clause that a grammar rule stands for.

    Raises:
        GrammarError: the rule's head or a part of its body cannot be translated.
    """
    left, body = rule.args
    pushed: Term | None = None
    if isinstance(left, And):
        left, pushed = left.op1, left.op2
    fresh = _fresh(rule)
    before, behind = next(fresh), next(fresh)
    heads = [_extended(h, before, behind) for h in (left.to_list() if isinstance(left, Or) else [left])]
    if pushed is None:
        goal = _body(body, before, behind, fresh)
    else:
        middle = next(fresh)
        goal = And(_body(body, before, middle, fresh), _terminals(pushed, behind, middle))
    if len(heads) > 1:
        return AnnotatedDisjunction(heads, goal, location=rule.location)
    return Clause(heads[0], goal, location=rule.location)


def goal_of_body(body: Term, before: Term | int, behind: Term | int) -> Term:
    """The goal that a grammar's body stands for, between two lists; see `clause_of_rule`."""
    return _body(body, before, behind, (Var(f"$s{i}") for i in count()))


def characters(text: str) -> list[Term]:
    """The characters of a text as atoms."""
    return [Term(quote(c)) for c in text]


def _fresh(rule: Term) -> Iterator[Var]:
    """Variables that a rule does not have: S0, S, then S1, S2 and so on."""
    used = {str(v) for v in rule.variables()}
    prefix = next(p for p in chain(("S",), (f"S_{i}_" for i in count())) if not any(v.startswith(p) for v in used))
    yield Var(f"{prefix}0")
    yield Var(prefix)
    yield from (Var(f"{prefix}{i}") for i in count(1))


def _extended(head: Term, before: Term | int, behind: Term | int) -> Term:
    """A nonterminal as an atom."""
    if isinstance(head, (Var, Constant, And, Or, Not)) or not isinstance(head, Term) or list_items(head) is not None:
        raise GrammarError(f"{head} is no nonterminal; a grammar rule's head is an atom such as np(Number)", head)
    return Term(head.functor, *head.args, before, behind, p=head.probability, location=head.location)


def _body(body: object, before: Term | int, behind: Term | int, fresh: Iterator[Var]) -> Term:
    if isinstance(body, (int, Var)):
        return Term("phrase", body, before, behind, location=getattr(body, "location", None))
    if not isinstance(body, Term):
        raise GrammarError("a part of this grammar rule is missing", None)
    name = str(body.functor)
    if isinstance(body, And):
        middle = next(fresh)
        return And(_body(body.op1, before, middle, fresh), _body(body.op2, middle, behind, fresh))
    if isinstance(body, Or) or (name in _ALTERNATIVES and body.arity == 2):
        left, right = body.args
        return Or(_body(left, before, behind, fresh), _body(right, before, behind, fresh))
    if name in _IF_THEN and body.arity == 2:
        middle = next(fresh)
        parts = _body(body.args[0], before, middle, fresh), _body(body.args[1], middle, behind, fresh)
        return Term(name, *parts, location=body.location, priority=body.op_priority, opspec=body.op_spec)
    if isinstance(body, Not):
        denied = Not("\\+", _body(body.child, before, Var(f"_{next(fresh)}"), fresh), location=body.location)
        return And(denied, _same(before, behind, body))
    if name == "!" and body.arity == 0:
        return And(body, _same(before, behind, body))
    if name == "{}":
        return And(body.args[0], _same(before, behind, body)) if body.args else _same(before, behind, body)
    if isinstance(body, Constant) or name in (".", "[]"):
        return _terminals(body, before, behind)
    return _extended(body, before, behind)


def _terminals(given: Term, before: Term | int, behind: Term | int) -> Term:
    """What says that a list begins with items: ``before = [item, … | behind]``."""
    items = list_items(given)
    if items is None and isinstance(given, Constant) and isinstance(given.functor, str):
        items = characters(given.functor[1:-1])
    if items is None:
        raise GrammarError(
            f"{given} cannot stand in a grammar rule; terminals are a list such as [the, dog] or a string", given
        )
    text: Term | int = behind
    for item in reversed(items):
        text = Term(".", item, text)
    return _same(before, text, given)


def _same(left: Term | int, right: Term | int, at: Term) -> Term:
    return Term("'='", left, right, priority=700, opspec="xfx", location=at.location)
