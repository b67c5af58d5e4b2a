"""``findall/3``, ``all/3`` and ``all_or_none/3`` over probabilistic goals: one list for every set of answers.

``findall/3`` lists an answer once for each of its proofs, as Prolog does: two clauses that prove the same answer give
it twice. An answer that lies on a cycle of the ground program, such as a path in a cyclic graph, has infinitely many
proofs in Prolog; tabling makes it one answer, and so it is listed once, wherever its node holds. (ProbLog 2.3 cuts
the cycle where it closes and takes the rest for a proof, which lists answers several times, and answers that hold in
no world.)

Lists that no world can have are left out, where unit propagation shows it: those with two values of one choice, or
with an answer but not with another one that follows from it, or with none of a choice's values where one must hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, count, product
from typing import TypeAlias

from problog.engine_builtin import IndirectCallCycleError, build_list, check_mode
from problog.engine_stack import VarReindex
from problog.engine_unify import UnifyError, substitute_simple, unify_value
from problog.logic import Clause

from deepplp.errors import BudgetExceededError, GroundingError, Position
from deepplp.formula import strongly_connected
from deepplp.grounding.clause_base import Location
from deepplp.grounding.problog.propagation import Known, children_of
from deepplp.grounding.problog.target import ProblogTarget
from deepplp.grounding.problog.vocabulary import (
    Argument,
    CallOptions,
    ClauseStore,
    FormulaWriter,
    GroundingEngine,
    ProbableSolution,
)
from deepplp.grounding.target import Key
from deepplp.program import Term, is_ground, readable

__all__ = ["Answer", "collected", "lists"]

_MOST_LISTS = 2**16

Proof: TypeAlias = tuple[int, tuple[int, ...]]
"""When a proof was found, and its literals."""
Found: TypeAlias = tuple[Argument, Key]
"""An instance of the pattern, and its node."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An instance of the pattern, and the node of what proves it."""

    term: Argument
    node: int


class _Fresh:
    """Every variable is another one, numbered by a counter."""

    def __init__(self, numbers: Iterator[int]) -> None:
        self._numbers = numbers
        self._known: dict[int, int] = {}

    def __getitem__(self, variable: int | None) -> int:
        if variable is None:
            return next(self._numbers)
        if variable not in self._known:
            self._known[variable] = next(self._numbers)
        return self._known[variable]


class _Unbound:
    """Every variable is a new one."""

    def __getitem__(self, variable: int | None) -> None:
        return None


def collected(name: str, pattern: Argument, goal: Term, call: CallOptions, *, proofs: bool) -> list[Answer]:
    """The instances of a pattern for which a goal holds, each with its node: once for each of its ``proofs``, or once.

    ``name`` is the signature of who collects.

    Raises:
        GroundingError: the goal's answers depend on this call.
    """
    engine, database, target = call["engine"], call["database"], call["target"]

    def cycle() -> GroundingError:
        return GroundingError(
            f"{name} collects the answers of {readable(goal)} while these are being found: they depend on themselves; "
            f"collect the answers of a goal that does not lead back to this call of {name}",
            engine.locate(call.get("location")),
        )

    own = ProblogTarget(keep_order=True, keep_all=True, keep_duplicates=True) if proofs else target
    key = name, str(substitute_simple(goal, VarReindex()))
    with engine.apart(key, cycle, fresh=proofs):
        try:
            results = _solutions(engine, database, own, pattern, goal, call.get("call_origin"))
        except (AssertionError, IndirectCallCycleError):
            raise cycle() from None
    return _proved_answers(results, own, target) if proofs else _merged_answers(results)


def _solutions(
    engine: GroundingEngine, database: ClauseStore, target: FormulaWriter, pattern: Argument, goal: Term,
    origin: tuple[str, Location] | None,
) -> list[Found]:  # fmt: skip
    """The instances of a pattern for which a goal holds, each with its node in the target."""
    head = Term(engine.get_non_cache_functor(), pattern, *goal.variables())
    extended = database.extend()
    extended.add_statement(Clause(head, goal))
    called = substitute_simple(head, _Unbound())
    results = engine.call(called, subcall=True, database=extended, target=target, call_origin=origin)
    return [(arguments[0], node) for arguments, node in results]


def _merged_answers(results: Sequence[Found]) -> list[Answer]:
    """The answers of ``all/3``: each as often as the engine's tables tell it apart."""
    return [Answer(term, node) for term, node in results if node is not None]


def _proved_answers(results: Sequence[Found], own: FormulaWriter, target: FormulaWriter) -> list[Answer]:
    """The answers of ``findall/3``: each once a proof, in the order in which they were proved.

    ``own`` is the formula in which the goal was ground, with all its proofs; the answers' nodes are in ``target``.
    """
    cyclic = _on_cycles(own, [node for _, node in results])
    branches = _branches(own, [node for _, node in results], cyclic)
    copy = _Copy(own, target, cyclic)
    proofs = [(time, term, literals) for term, node in results for time, literals in branches(node)]
    proofs.sort(key=lambda proof: proof[0])
    keep_all, target.keep_all = target.keep_all, False  # what is certain is no atom in the target
    nodes = [target.add_and((*map(copy, literals), target.TRUE)) for _, _, literals in proofs]
    target.keep_all = keep_all
    return [Answer(term, node) for (_, term, _), node in zip(proofs, nodes, strict=True) if node is not None]


def lists(
    answers: Sequence[Answer],
    target: FormulaWriter,
    pattern: Argument,
    goal: Argument,
    result: Argument,
    lowest: int,
    position: Position | None,
    database: ClauseStore,
) -> Iterator[ProbableSolution]:
    """The solutions of a call that collects answers: its arguments, and the node of the worlds that have this list.

    Variables in answers are new ones, numbered below the caller's ``lowest``, so that each answer has its own.
    """
    fresh = count(lowest - 1, -1)
    answers = [a if is_ground(a.term) else Answer(substitute_simple(a.term, _Fresh(fresh)), a.node) for a in answers]
    mode = check_mode((pattern, goal, result), ["*cv", "*cl"], functor="findall")
    for chosen, nodes in list(_selections(answers, target, position, database)):  # all, before anything is built
        node = target.add_and((*nodes, target.TRUE))
        if node is None:
            continue
        made = build_list(chosen, Term("[]"))
        if mode != 0:
            try:
                made = unify_value(made, result, {})
            except UnifyError:
                continue
        yield (pattern, goal, made), node


def _selections(
    answers: Sequence[Answer], target: FormulaWriter, position: Position | None, database: ClauseStore
) -> Iterator[tuple[tuple[Argument, ...], tuple[int, ...]]]:
    """Every set of answers that a world may have, with the literals that say that it has these and no others."""
    known = Known(target, [a.node for a in answers], database)
    steps = 0
    # What comes next is on top: the number of the next answer, what was known before the last one was decided, the
    # answers of the list and the literals of all decisions, and the last of these.
    stack: list[tuple[int, int, tuple[Argument, ...], tuple[int, ...], int]] = [(0, known.mark(), (), (), 0)]
    while stack:
        index, mark, chosen, literals, decided = stack.pop()
        known.undo(mark)
        if decided and not known.assume(decided):
            continue
        if index == len(answers):
            yield chosen, literals
            continue
        steps += 1
        if steps > _MOST_LISTS:
            raise BudgetExceededError(
                f"the {len(answers)} answers that are collected here make too many lists, one for each set of them "
                f"that may hold: the search for them took {_MOST_LISTS} steps. Bind more of the goal's arguments, or "
                "count without a list: aggregate_all(count, Goal, N)",
                position,
            )
        answer, mark = answers[index], known.mark()
        if answer.node == target.TRUE:
            stack.append((index + 1, mark, (*chosen, answer.term), literals, 0))
            continue
        denied = -answer.node
        stack.append((index + 1, mark, chosen, (*literals, denied), denied))
        stack.append((index + 1, mark, (*chosen, answer.term), (*literals, answer.node), answer.node))


def _on_cycles(formula: FormulaWriter, roots: Sequence[Key]) -> frozenset[int]:
    """The nodes that lie on a cycle; no cycle goes through a negation."""

    def children(key: int) -> list[int]:
        return [abs(c) for c in children_of(formula, key)]

    components = strongly_connected((abs(r) for r in roots if r), children)
    return frozenset(k for c in components if len(c) > 1 or c[0] in children(c[0]) for k in c)


def _branches(formula: FormulaWriter, roots: Sequence[Key], cyclic: frozenset[int]) -> Callable[[Key], list[Proof]]:
    """A function from a node to its proofs: when each was found, and its literals.

    A negation and a node on a cycle are literals themselves.
    """
    known: dict[int, list[Proof]] = {}

    def proofs(key: Key) -> list[Proof]:
        if key is None:
            return []
        if key == 0:
            return [(0, ())]
        return known.get(key, [(key, (key,))])

    stack = [r for r in roots if r and r > 0]
    while stack:
        key = stack[-1]
        node = formula.get_node(key)
        kind = "literal" if key in cyclic else type(node).__name__
        waiting = [c for c in node.children if c and c > 0 and c not in known] if kind in ("conj", "disj") else []
        if key not in known and waiting:
            stack += waiting
            continue
        stack.pop()
        if key in known:
            continue
        if kind == "disj":
            known[key] = [proof for c in node.children for proof in proofs(c)]
        elif kind == "conj":
            known[key] = [
                (max(key, *(time for time, _ in parts)), tuple(chain.from_iterable(literals for _, literals in parts)))
                for parts in product(*(proofs(c) for c in node.children))
            ]
        elif kind == "atom" and node.probability is None:  # certain: proofs of chained answers stay short
            known[key] = [(key, ())]
        else:
            known[key] = [(key, (key,))]
    return proofs


class _Copy:
    """Copies nodes of one formula to another, cycles included."""

    def __init__(self, source: FormulaWriter, target: FormulaWriter, cyclic: frozenset[int]) -> None:
        self._source = source
        self._target = target
        self._cyclic = cyclic
        self._known: dict[int, Key] = {}

    def __call__(self, literal: int) -> Key:
        key = abs(literal)
        if key not in self._known:
            self._copy(key)
        copied = self._known[key]
        return copied if literal > 0 else self._target.negate(copied)

    def _copy(self, root: int) -> None:
        target = self._target
        open_nodes: list[int] = []
        stack = [root]
        while stack:
            key = stack[-1]
            node = self._source.get_node(key)
            kind = type(node).__name__
            if kind == "atom":
                self._known[key] = target.add_atom(
                    node.identifier, node.probability, group=node.group, name=node.name, source=node.source
                )
                stack.pop()
                continue
            if kind == "disj" and key in self._cyclic and key not in self._known:
                # Every cycle passes through a disjunction, so that these alone need to be known in advance.
                self._known[key] = target.add_or((), placeholder=True)
                open_nodes.append(key)
            waiting = [abs(c) for c in node.children if c and abs(c) not in self._known]
            if waiting:
                stack += waiting
                continue
            stack.pop()
            if key not in self._known:
                children = [self._literal(c) for c in node.children]
                self._known[key] = target.add_and(children) if kind == "conj" else target.add_or(children)
        for key in open_nodes:
            for child in self._source.get_node(key).children:
                target.add_disjunct(self._known[key], self._literal(child))

    def _literal(self, child: Key) -> Key:
        if child is None:
            return self._target.FALSE
        if child == 0:
            return self._target.TRUE
        copied = self._known[abs(child)]
        return copied if child > 0 else self._target.negate(copied)
