r"""Tables of ProbLog's engine that answer no call by a more general one whose goals look at what is bound.

ProbLog keeps each ground answer of ``p(_)`` as what ``p(1)`` has. That is wrong where a goal below holds for a free
variable and not for what it is bound to later, or the other way round, as ``var(X)``, ``X \== 1`` and ``\+ q(X)`` do.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from problog.engine_stack import DefineCache
from problog.engine_unify import substitute_call_args
from problog.eval_nodes import EvalDefine

from deepplp.grounding.problog.vocabulary import Arguments, CallNode, Goal, StackRecord
from deepplp.program import is_ground

__all__ = ["InstanceTables", "looks_at_bindings", "negated_arguments"]

# What has the same answers for the instances of its arguments as these have among its own, or refuses free variables.
_RELATIONS = frozenset(
    {
        "=/2", "is/2", "</2", ">/2", "=</2", ">=/2", "=:=/2", "=\\=/2", "between/3", "succ/2", "plus/3", "length/2",
        "=../2", "arg/3", "functor/3", "true/0", "fail/0", "false/0", *(f"call/{n}" for n in range(1, 10)),
    }
)  # fmt: skip


def looks_at_bindings(signature: str) -> bool:
    """Whether a built-in may tell a free variable from what it is bound to later."""
    return signature not in _RELATIONS


class InstanceTables(DefineCache):  # type: ignore[misc]  # problog has no types
    """ProbLog's tables, which know of the calls that are not ground what has looked at bindings below them.

    That is kept by predicates, so that goals on a cycle need not be told apart.
    """

    def __init__(self, dont_cache: set[tuple[str, int]]) -> None:
        super().__init__(dont_cache)
        self._looking: set[str] = set()
        self._callers: defaultdict[str, set[str]] = defaultdict(set)

    def called(self, functor: str, stack: Sequence[StackRecord | None], parent: int | None) -> None:
        """Note a call that is not ground of a predicate, below a record of the stack."""
        caller = _open_goal_above(stack, parent)
        if caller is not None and caller not in self._callers[functor]:
            self._callers[functor].add(caller)
            if functor in self._looking:
                self._mark(caller)

    def looked(self, stack: Sequence[StackRecord | None], parent: int | None) -> None:
        """Note a goal that looks at bindings, below a record of the stack."""
        caller = _open_goal_above(stack, parent)
        if caller is not None:
            self._mark(caller)

    def _mark(self, functor: str) -> None:
        waiting = [functor]
        while waiting:
            current = waiting.pop()
            if current not in self._looking:
                self._looking.add(current)
                waiting += self._callers.get(current, ())

    def __setitem__(self, goal: Goal, results: object) -> None:
        functor, arguments = goal
        if str(functor) in self._looking and not self.is_dont_cache(goal) and not is_ground(*arguments):
            self._DefineCache__non_ground[self._reindex_vars(goal)] = results
        else:
            super().__setitem__(goal, results)


def negated_arguments(node: CallNode, context: Arguments) -> Arguments:
    """The arguments of a negated call, or all variables of the clause of what is negated otherwise."""
    if type(node).__name__ != "call":
        return context
    found: Arguments = substitute_call_args(node.args, context, -1)[0]
    return found


def _open_goal_above(stack: Sequence[StackRecord | None], parent: int | None) -> str | None:
    """The predicate of the goal that is being evaluated above, where that is not ground."""
    while parent is not None:
        record = stack[parent]
        if record is None:
            return None
        if isinstance(record, EvalDefine):
            return None if record.is_ground else str(record.node.functor)
        parent = record.parent
    return None
