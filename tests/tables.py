"""Random programs of the kind that tables make: variables, their parents, a clause a row, some rows certain."""

from __future__ import annotations

import itertools
import random

from hypothesis import strategies as st

__all__ = ["table_programs"]

_NUMBERS = (0.0, 1.0, 1.0, 2.0, 3.0)


@st.composite
def table_programs(draw: st.DrawFn, most_variables: int = 5) -> str:
    """The text of a program; variables are ``v0(0)``, ``v0(1)``, …, and there are queries and evidence."""
    rng = draw(st.randoms(use_true_random=False))
    lines: list[str] = []
    sizes: list[int] = []
    for number in range(draw(st.integers(2, most_variables))):
        parents = rng.sample(range(number), min(number, rng.randint(0, 2)))
        sizes.append(rng.randint(2, 3))
        for row in itertools.product(*(range(sizes[p]) for p in parents)):
            lines += _row(rng, number, sizes[-1], [f"v{p}({v})" for p, v in zip(parents, row, strict=True)])
        lines += [f"v{number}({v}) :- fail." for v in range(sizes[-1])]  # so that each value is a known predicate
    atoms = [f"v{number}({value})" for number, size in enumerate(sizes) for value in range(size)]
    for rule in range(rng.randint(0, 3)):
        for _ in range(rng.randint(1, 2)):
            body = [rng.choice(["", "\\+"]) + rng.choice(atoms) for _ in range(rng.randint(1, 3))]
            lines.append(f"r{rule} :- {', '.join(body)}.")
        atoms.append(f"r{rule}")
    lines += [f"query({atom})." for atom in rng.sample(atoms, min(len(atoms), 5))]
    for atom in rng.sample(atoms, rng.randint(0, 2)):
        lines.append(f"evidence({rng.choice(['', chr(92) + '+'])}{atom}).")
    return "\n".join(lines)


def _row(rng: random.Random, number: int, size: int, given: list[str]) -> list[str]:
    """The clause of one row: none, a certain one, or a disjunction, which may leave something for no value."""
    kind = rng.random()
    body = f" :- {', '.join(given)}" if given else ""
    if kind < 0.1:
        return []
    if kind < 0.3:
        return [f"v{number}({rng.randrange(size)}){body}."]
    numbers = [rng.choice(_NUMBERS) for _ in range(size + 1)]
    total = sum(numbers) or 1.0
    heads = [f"{p / total}::v{number}({value})" for value, p in enumerate(numbers[:-1])]
    return [f"{'; '.join(heads)}{body}."]
