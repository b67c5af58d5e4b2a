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

from deepplp.formula import Choice, Computed, Learnable, Neural, Observed, Origin, Value
from deepplp.program import Program, Term, calls_of, readable, replaced, standard_order_key
from deepplp.queries.header import Header

__all__ = ["Pattern", "looks_into_terms", "pattern_of"]

# Predicates of ProbLog that treat all atoms alike.
_BLIND = frozenset({
    "true/0", "fail/0", "false/0", "=/2", "\\=/2", "==/2", "\\==/2", "is/2", "</2", ">/2", "=</2", ">=/2", "=:=/2",
    "=\\=/2", "between/3", "member/2", "append/3", "length/2", "nth0/3", "nth1/3", "reverse/2", "last/2", "sum_list/2",
    "findall/3", "all/3", "all_or_none/3", "forall/2", "not/1", "\\+/1", "call/1", "once/1", "maplist/2", "maplist/3",
    "maplist/4", "query/1", "evidence/1", "evidence/2", "select/3", "use_module/1", "use_module/2", "consult/1",
})  # fmt: skip

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
        queries = tuple(map(self._term, header.queries))
        if not _same_order(header.queries, queries):
            return None
        return Header(
            tuple(self._choice(c) for c in header.choices),
            queries,
            tuple(map(self._term, header.evidence)),
            tuple(map(self._term, header.unanswered)),
        )

    def _term(self, term: Term) -> Term:
        return replaced(term, lambda t: None if t.args else self.tokens.get(t.functor))

    def _choice(self, choice: Choice) -> Choice:
        return replace(choice, origin=self._origin(choice.origin), values=tuple(map(self._value, choice.values)))

    def _value(self, value: Value) -> Value:
        return self._term(value) if isinstance(value, Term) else value

    def _origin(self, origin: Origin) -> Origin:
        match origin:
            case Neural():
                return replace(origin, inputs=tuple(map(self._term, origin.inputs)))
            case Learnable():
                return replace(origin, arguments=tuple(map(self._term, origin.arguments)))
            case Observed():
                return Observed(self._term(origin.term))
            case Computed():
                return Computed(tuple(p if isinstance(p, float) else self._term(p) for p in origin.probabilities))
        return origin


def _same_order(tokens: Sequence[Term], terms: Sequence[Term]) -> bool:
    if len(terms) < 2 or all(a is b for a, b in zip(tokens, terms, strict=True)):
        return True
    before, after = (list(map(standard_order_key, side)) for side in (tokens, terms))
    pairs = zip(itertools.pairwise(before), itertools.pairwise(after), strict=True)
    return all((a < b) == (c < d) for (a, b), (c, d) in pairs)


def looks_into_terms(program: Program) -> bool:
    """Whether a program calls anything that could tell one atom from another."""
    called = {signature for s in program.statements for signature, _ in calls_of(s)}
    own = {h.signature for s in program.statements for h in s.heads_and_body()[0] if hasattr(h, "signature")}
    return any(s.replace("'", "") not in _BLIND and s not in own for s in called)


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

    def names_a_tensor(term: Term) -> bool:
        inside = term.args[0] if term.functor == "tensor" and term.arity == 1 else None
        if isinstance(inside, Term) and inside.functor in functors and not inside.is_constant():
            return True
        return not term.args and str(term) in plain

    found: dict[str, Term] = {}

    def note(term: Term) -> Term | None:
        if not names_a_tensor(term):
            return None
        item = term.args[0] if term.args else term
        found[str(item)] = item
        return term  # what is inside needs no look

    goals = [*(queries or ()), *(t for t, _ in evidence)]
    for goal in goals:
        replaced(goal, note)
    ordered = sorted(found.values(), key=standard_order_key)
    token_of = {str(t): Term(f"'${i:04d}'") for i, t in enumerate(ordered)}

    def substituted(goal: Term) -> Term:
        return replaced(goal, lambda t: token_of.get(str(t)))

    return Pattern(
        None if queries is None else tuple(map(substituted, queries)),
        tuple(sorted({*(t.functor for t in token_of.values()), *(n for n in names if n not in token_of)})),
        tuple((substituted(t), known) for t, known in evidence),
        {token.functor: found[text] for text, token in token_of.items()},
    )
