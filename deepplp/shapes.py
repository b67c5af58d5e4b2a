"""The shape of a query: what is left of it when constants that only name tensors are taken out.

``addition(tensor(train(1)), tensor(train(7)), S)`` and every other pair of images have one ground program up to the
names of the images, and one circuit. An input, or an item of a tensor source, is taken out where a program cannot tell
it from another: where the program does not mention it, and calls nothing that compares, takes apart or prints terms.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from deepplp.grounding import Choice, Computed, Formula, Goal, Learnable, Neural, Observed, calls_of, standard_order_key
from deepplp.program import Program, parse_goal, parse_term

__all__ = ["Shape", "looks_into_terms", "shape_of"]

_TOKEN = re.compile(r"'\$(\d{4,})'")
_QUOTED = re.compile(r"'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.)*\"")

# Predicates of ProbLog that treat all atoms alike.
_BLIND = frozenset({
    "true/0", "fail/0", "false/0", "=/2", "\\=/2", "==/2", "\\==/2", "is/2", "</2", ">/2", "=</2", ">=/2", "=:=/2",
    "=\\=/2", "between/3", "member/2", "append/3", "length/2", "nth0/3", "nth1/3", "reverse/2", "last/2", "sum_list/2",
    "findall/3", "all/3", "all_or_none/3", "forall/2", "not/1", "\\+/1", "call/1", "once/1", "maplist/2", "maplist/3",
    "maplist/4", "query/1", "evidence/1", "evidence/2", "select/3", "use_module/1", "use_module/2", "consult/1",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shape:
    """A query with tokens in place of the constants that only name tensors, and what each token stands for."""

    queries: tuple[str, ...] | None
    names: tuple[str, ...]
    evidence: tuple[tuple[str, bool | None], ...]
    tokens: Mapping[str, str]

    def restored(self, formula: Formula) -> Formula | None:
        """A formula of this shape's with the names put back; None where its answers' order would then be another."""
        if not self.tokens:
            return formula
        terms = [self._text(g.term) for g in formula.queries]
        if not _same_order([g.term for g in formula.queries], terms):
            return None
        return Formula(
            tuple(replace(c, source=self._source(c), values=tuple(map(self._text, c.values))) for c in formula.choices),
            formula.nodes,
            tuple(Goal(t, g.literal) for t, g in zip(terms, formula.queries, strict=True)),
            tuple(Goal(self._text(g.term), g.literal) for g in formula.evidence),
            tuple(map(self._text, formula.unanswered)),
        )

    def _text(self, text: str) -> str:
        return _TOKEN.sub(lambda m: self.tokens[m[0]], text) if "'$" in text else text

    def _term(self, term: Any) -> Any:
        text = str(term)
        return parse_term(self._text(text)) if "'$" in text else term

    def _source(self, choice: Choice) -> Any:
        source = choice.source
        match source:
            case Neural():
                return replace(source, inputs=tuple(map(self._term, source.inputs)))
            case Learnable():
                return replace(source, arguments=tuple(map(self._text, source.arguments)))
            case Observed():
                return Observed(self._text(source.term))
            case Computed():
                return Computed(tuple(p if isinstance(p, float) else self._term(p) for p in source.probabilities))
        return source


def _same_order(tokens: list[str], terms: list[str]) -> bool:
    if tokens == terms or len(terms) < 2:
        return True
    before, after = ([standard_order_key(parse_term(t)) for t in side] for side in (tokens, terms))
    pairs = zip(itertools.pairwise(before), itertools.pairwise(after), strict=True)
    return all((a < b) == (c < d) for (a, b), (c, d) in pairs)


def looks_into_terms(program: Program) -> bool:
    """Whether a program calls anything that could tell one atom from another."""
    called = {signature for s in program.statements for signature, _ in calls_of(s)}
    own = {h.signature for s in program.statements for h in s.heads_and_body()[0] if hasattr(h, "signature")}
    return any(s.replace("'", "") not in _BLIND and s not in own for s in called)


def shape_of(
    queries: tuple[str, ...] | None,
    names: tuple[str, ...],
    evidence: tuple[tuple[str, bool | None], ...],
    mentioned: frozenset[str],
    sources: Iterable[str],
) -> Shape:
    """Take out the inputs and source items that the program does not mention. Texts must be well-formed goals."""
    goals = [parse_goal(q) for q in queries or ()]
    known = [(parse_goal(t, "<evidence>"), value) for t, value in evidence]
    plain = {n for n in names if re.fullmatch(r"[a-z]\w*", n)} - mentioned
    functors = {s for s in sources if s not in mentioned}
    found: dict[str, Any] = {}
    stack: list[Any] = [*goals, *(t for t, _ in known)]
    while stack:
        term = stack.pop()
        arguments: Sequence[Any] = getattr(term, "args", ())
        inside = arguments[0] if getattr(term, "functor", "") == "tensor" and len(arguments) == 1 else None
        if inside is not None and getattr(inside, "functor", "") in functors and not inside.is_constant():
            found[str(inside)] = inside
        elif not arguments and str(term) in plain:
            found[str(term)] = term
        else:
            stack.extend(arguments)
    ordered = sorted((t for t in found if not _QUOTED.search(t)), key=lambda text: standard_order_key(found[text]))
    token_of = {text: f"'${i:04d}'" for i, text in enumerate(ordered)}
    replaced = _replacement(token_of)
    return Shape(
        None if queries is None else tuple(replaced(str(g)) for g in goals),
        tuple(sorted({*token_of.values(), *(n for n in names if n not in token_of)})),
        tuple((replaced(str(t)), value) for t, value in known),
        {token: text for text, token in token_of.items()},
    )


def _replacement(token_of: Mapping[str, str]) -> Callable[[str], str]:
    """A function that writes tokens for the constants in a term's text, wherever they stand outside of quotes."""
    if not token_of:
        return lambda text: text
    longest_first = sorted(token_of, key=len, reverse=True)
    constants = re.compile(rf"(?<![\w'\"$])(?:{'|'.join(map(re.escape, longest_first))})(?![\w(])")

    def replaced(text: str) -> str:
        pieces = []
        done = 0
        for quoted in _QUOTED.finditer(text):
            pieces += [constants.sub(lambda m: token_of[m[0]], text[done : quoted.start()]), quoted[0]]
            done = quoted.end()
        return "".join([*pieces, constants.sub(lambda m: token_of[m[0]], text[done:])])

    return replaced
