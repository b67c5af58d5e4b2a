"""What is wrong with a program's ``query/1`` and ``evidence/1,2`` as they are written, found without grounding them."""

from __future__ import annotations

from collections.abc import Iterator

from deepplp.errors import Position
from deepplp.grounding.free_variables import is_closed
from deepplp.grounding.question import atom_of, goal_fault, truth_fault
from deepplp.program import ASKING, Program, Term, Var, is_ground, readable, text_of

__all__ = ["stated_faults"]


def stated_faults(program: Program) -> Iterator[tuple[str, Position]]:
    """What asking the program is sure to refuse: the message and its place.

    A variable that the body of a rule binds is nothing that can be told without the rule's answers.
    """
    known: dict[str, tuple[bool, Position]] = {}
    for statement in program.statements:
        heads, body = statement.heads_and_body()
        for head in heads:
            if head.signature not in ASKING:
                continue
            message = _fault(head, is_fact=body is None)
            if message is not None:
                yield message, program.place(head.args[0], statement)
            elif head.functor == "evidence" and body is None and is_ground(*head.args):
                atom, holds = _observed(head)
                other, first = known.setdefault(text_of(atom), (holds, statement.position))
                if other is not holds:
                    yield _contradiction(atom, holds, statement.position, first), first


def _fault(head: Term, is_fact: bool) -> str | None:
    goal = head.args[0]
    if is_fact or not _is_left_open(goal):
        reason = goal_fault(goal, str(head.functor))
        if reason is not None:
            return f"{head.functor}({readable(goal)}): {reason}"
        atom, negated = atom_of(goal)
        if is_fact and negated and head.functor == "query" and not is_closed(atom):
            return f"the negated query {readable(goal)} must be ground"
    if len(head.args) > 1 and (is_fact or not isinstance(head.args[1], Var)):
        return truth_fault(goal, head.args[1])
    return None


def _is_left_open(goal: Term) -> bool:
    """Whether a rule's body says what the goal is: it is a variable, or the negation of one."""
    atom, negated = atom_of(goal)
    return isinstance(atom, Var) or (negated and isinstance(atom_of(atom)[0], Var))


def _observed(head: Term) -> tuple[Term, bool]:
    """The atom that evidence is about, and whether it holds."""
    atom, negated = atom_of(head.args[0])
    stated = len(head.args) == 1 or readable(head.args[1]) == "true"
    return atom, stated is not negated


def _contradiction(atom: Term, holds: bool, place: Position, first: Position) -> str:
    shown = readable(atom)
    stated, opposite = (f"\\+{shown}", shown) if holds else (shown, f"\\+{shown}")
    return f"the evidence {stated} ({first}), {opposite} ({place}) contradicts itself: no world satisfies all of it"
