"""Choices as diagrams see them: classes of values, and, for an SDD, the binary codes of its variables and its vtree.

Values that the formula never mentions share one class, and so do values that the program gives probability 0: they
hold in no world that counts. In an SDD, a choice with m classes takes ceil(log2 m) Boolean variables, which form a left
subtree of the vtree's right-linear spine. Spare codes stand for the last class, so that every assignment of the
variables is exactly one value: no exclusion constraint and no smoothing is needed, and a function of one choice's
variables is just a set of its values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from deepplp.formula import Atom, Choice, Fixed, Formula

__all__ = ["EncodedChoice", "encode_choices", "vtree_file"]


@dataclass(frozen=True, slots=True)
class EncodedChoice:
    """One choice in a diagram: ``classes`` are sets of its values, ``impossible`` those that have probability 0.

    ``variables`` are the bits of an SDD's codes, the highest first: class j has code j, the last class all codes from
    its own upwards. ``class_of_value`` is -1 for an impossible value.
    """

    choice: int
    classes: tuple[tuple[int, ...], ...]
    variables: tuple[int, ...]
    class_of_value: tuple[int, ...]

    def class_of(self, value: int) -> int | None:
        """The class that a value belongs to; None for one that is impossible."""
        index = self.class_of_value[value]
        return None if index < 0 else index

    def codes_of(self, index: int) -> range:
        """The codes of a class."""
        return range(index, index + 1 if index < len(self.classes) - 1 else 1 << len(self.variables))


def encode_choices(formula: Formula, order: Sequence[int]) -> list[EncodedChoice]:
    """Give the choices their classes and variables, in the given order."""
    mentioned: dict[int, set[int]] = {choice: set() for choice in order}
    for node in formula.nodes:
        if isinstance(node, Atom) and node.choice in mentioned:
            mentioned[node.choice].add(node.value)
    encoded: list[EncodedChoice] = []
    next_variable = 1
    for choice in order:
        values = range(len(formula.choices[choice].values))
        impossible = _impossible(formula.choices[choice])
        classes: list[tuple[int, ...]] = [(v,) for v in values if v in mentioned[choice] and v not in impossible]
        rest = tuple(v for v in values if v not in mentioned[choice] or v in impossible)
        if impossible.issuperset(rest) and classes:
            classes[-1] += rest  # they add nothing to its weight
        elif rest:
            classes.append(rest)
        owner = [-1] * len(values)
        for index, members in enumerate(classes):
            for value in members:
                owner[value] = -1 if value in impossible else index
        bits = (len(classes) - 1).bit_length()
        variables = tuple(range(next_variable, next_variable + bits))
        encoded.append(EncodedChoice(choice, tuple(classes), variables, tuple(owner)))
        next_variable += bits
    return encoded


def _impossible(choice: Choice) -> frozenset[int]:
    """The values that the program itself rules out, by a stated probability of 0."""
    if not isinstance(choice.origin, Fixed):
        return frozenset()
    return frozenset(v for v, p in enumerate(choice.origin.probabilities) if p == 0.0)


def vtree_file(encoded: Sequence[EncodedChoice]) -> tuple[str, dict[int, tuple[int, bool]]]:
    """The vtree in libsdd's file format, and what each of its positions is: (index into ``encoded``, on the spine?).

    Positions count the vtree's nodes in order, which for this shape is known without building it.
    """
    lines: list[str] = []
    positions: dict[int, tuple[int, bool]] = {}
    lefts: list[tuple[int, int]] = []  # (position of the subtree's root, index of the choice)
    position = 0
    used = [i for i, e in enumerate(encoded) if e.variables]
    spine: list[int] = []
    for rank, i in enumerate(used):
        variables = encoded[i].variables
        # Inside: leaf, inner, leaf, inner, …, leaf; each inner node has the leaf before it on its left.
        for offset in range(2 * len(variables) - 1):
            positions[position + offset] = (i, False)
        last = position + 2 * (len(variables) - 1)
        lines.append(f"L {last} {variables[-1]}")
        root = last
        for back in range(len(variables) - 2, -1, -1):
            leaf = position + 2 * back
            lines.append(f"L {leaf} {variables[back]}")
            lines.append(f"I {leaf + 1} {leaf} {root}")
            root = leaf + 1
        lefts.append((root, i))
        position = last + 1
        if rank < len(used) - 1:
            positions[position] = (i, True)
            spine.append(position)
            position += 1
    right = lefts[-1][0]
    for rank in range(len(used) - 2, -1, -1):
        lines.append(f"I {spine[rank]} {lefts[rank][0]} {right}")
        right = spine[rank]
    return f"vtree {len(lines)}\n" + "\n".join(lines) + "\n", positions
