"""The built-in ``'$neural'(Declaration, Key, Inputs, Output, Domain)``: one answer a value of the domain.

A clause ``nn(net, [X], Y, [0..9]) :: digit(X, Y) :- body`` reaches the engine as
``digit(X, Y) :- body, '$neural'(Declaration, Key, [X], Y, [0..9])``. The built-in answers with all values at once,
where the heads of an annotated disjunction are called and answer one by one.
"""

from __future__ import annotations

from typing import Unpack

from deepplp.grounding.clause_base import ClauseTerm
from deepplp.grounding.neural_choices import NeuralChoices
from deepplp.grounding.problog.vocabulary import BuiltinFunction, CallOptions, ProbableSolution
from deepplp.program import Term, is_ground

__all__ = ["neural_builtin"]


def neural_builtin(neural: NeuralChoices) -> BuiltinFunction:
    """The solutions of ``'$neural'/5`` for a program's declarations."""

    def solve(
        number: Term, key: ClauseTerm, inputs: ClauseTerm, output: ClauseTerm, domain: ClauseTerm,
        **call: Unpack[CallOptions],
    ) -> list[ProbableSolution]:  # fmt: skip
        target = call["target"]
        made = neural.choice(neural.declaration(number), key, inputs, domain)
        if isinstance(made, Term):
            return [((number, key, inputs, made, domain), target.TRUE)]
        if not made.values:
            return [((number, key, inputs, output, domain), target.add_atom(*made.atom(0)))]
        wanted = output if isinstance(output, Term) and is_ground(output) else None
        return [
            ((number, key, inputs, value, domain), target.add_atom(*made.atom(index)))
            for index, value in enumerate(made.values)
            if wanted is None or _same(wanted, value)
        ]

    return solve


def _same(a: Term, b: Term) -> bool:
    """Whether two ground terms are one: 1, 1.0, "1" and '1' are four terms."""
    return bool(a == b) and str(a) == str(b)
