"""The pattern of a query: what is left of it when constants that only name tensors are taken out.

``addition(tensor(train(1)), tensor(train(7)), S)`` and every other pair of images have one ground program up to the
names of the images, and one circuit. An input, or an item of a tensor source, is taken out where a program cannot tell
it from another: where the program does not mention it, and calls nothing that compares, takes apart or prints terms.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from deepplp.formula import NONE, Computed, Learnable, Neural, Observed, Origin
from deepplp.program import Term, readable, standard_order_keys, substituted
from deepplp.queries.header import Header

__all__ = ["Pattern", "pattern_of", "terms_of"]

_NAME = re.compile(r"[a-z]\w*")

KnownTerms = tuple[tuple[Term, bool | None], ...]


@dataclass(frozen=True, slots=True)
class Pattern:
    """A query with tokens in place of the constants that only name tensors.

    ``queries`` are None where the program's own are asked; ``names`` are those of the inputs, tokens among them;
    ``evidence`` is None for what a tensor says. ``tokens`` gives the term behind each token.
    """

    queries: tuple[Term, ...] | None
    names: tuple[str, ...]
    evidence: KnownTerms
    tokens: Mapping[str, Term]

    @property
    def key(self) -> tuple[object, ...]:
        """What tells one pattern from another, as text: 1, 1.0 and "1" are three terms."""
        queries = None if self.queries is None else tuple(map(readable, self.queries))
        return queries, self.names, tuple((readable(t), known) for t, known in self.evidence)

    def restored(self, header: Header) -> Header | None:
        """A header of this pattern's with the names put back; None where its answers' order would then be another."""
        if not self.tokens:
            return header
        terms = _HeaderTerms.of(header)
        changed = substituted(terms.all, self.tokens)
        queries = changed[: len(header.queries)]
        return terms.put_back(changed) if _same_order(header.queries, queries) else None


@dataclass(frozen=True, slots=True)
class _HeaderTerms:
    """All terms of a header in one list, the queries first, so that they are changed together."""

    header: Header
    all: list[Term]

    @classmethod
    def of(cls, header: Header) -> _HeaderTerms:
        found = [*header.queries, *header.evidence, *header.unanswered]
        for choice in header.choices:
            found += [value for value in choice.values if value is not NONE]
            found += terms_of(choice.origin)
        return cls(header, found)

    def put_back(self, terms: Sequence[Term]) -> Header:
        """The header with other terms in the places of its own."""
        source, header = iter(terms), self.header

        def taken(count: int) -> tuple[Term, ...]:
            return tuple(itertools.islice(source, count))

        goals = [taken(len(g)) for g in (header.queries, header.evidence, header.unanswered)]
        choices = []
        for choice in header.choices:
            values = tuple(NONE if value is NONE else next(source) for value in choice.values)
            origin = _with_terms(choice.origin, taken(len(terms_of(choice.origin))))
            choices.append(replace(choice, values=values, origin=origin))
        queries, evidence, unanswered = goals
        return Header(tuple(choices), queries, evidence, unanswered, header.impossible)


def terms_of(origin: Origin) -> tuple[Term, ...]:
    """The terms of where a choice's probabilities come from."""
    match origin:
        case Neural():
            return origin.inputs
        case Learnable():
            return origin.arguments
        case Observed():
            return (origin.term,)
        case Computed():
            return origin.tensors
    return ()


def _with_terms(origin: Origin, terms: tuple[Term, ...]) -> Origin:
    match origin:
        case Neural():
            return replace(origin, inputs=terms)
        case Learnable():
            return replace(origin, arguments=terms)
        case Observed():
            return Observed(terms[0])
        case Computed():
            rest = iter(terms)
            return Computed(tuple(p if isinstance(p, float) else next(rest) for p in origin.probabilities))
    return origin


def _same_order(tokens: Sequence[Term], terms: Sequence[Term]) -> bool:
    if len(terms) < 2 or all(a is b for a, b in zip(tokens, terms, strict=True)):
        return True
    before, after = (standard_order_keys(side) for side in (tokens, terms))
    pairs = zip(itertools.pairwise(before), itertools.pairwise(after), strict=True)
    return all((a < b) == (c < d) for (a, b), (c, d) in pairs)


def pattern_of(
    queries: tuple[Term, ...] | None,
    names: tuple[str, ...],
    evidence: KnownTerms,
    mentioned: frozenset[str],
    sources: Iterable[str],
) -> Pattern:
    """Take out the inputs and the items of tensor ``sources`` that the program does not mention."""
    plain = {n for n in names if _NAME.fullmatch(n)} - mentioned  # a number is no name: rules may compute with it
    functors = {s for s in sources if s not in mentioned}
    goals = [*(queries or ()), *(t for t, _ in evidence)]
    found: dict[str, Term] = {}
    stack: list[Term] = list(goals)
    while stack:
        term = stack.pop()
        if not isinstance(term, Term):
            continue
        inside = term.args[0] if term.functor == "tensor" and term.arity == 1 else None
        if isinstance(inside, Term) and inside.functor in functors and not inside.is_constant():
            found[str(inside)] = inside
        elif not term.args and str(term) in plain:
            found[str(term)] = term
        else:
            stack.extend(term.args)
    keys = dict(zip(found, standard_order_keys(found.values()), strict=True))
    token_of = {text: Term(f"'${i:04d}'") for i, text in enumerate(sorted(found, key=keys.__getitem__))}
    changed = substituted(goals, token_of, compounds=True) if found else goals
    asked = 0 if queries is None else len(queries)
    return Pattern(
        None if queries is None else tuple(changed[:asked]),
        tuple(sorted({*(t.functor for t in token_of.values()), *(n for n in names if n not in token_of)})),
        tuple((t, known) for t, (_, known) in zip(changed[asked:], evidence, strict=True)),
        {token.functor: found[text] for text, token in token_of.items()},
    )
