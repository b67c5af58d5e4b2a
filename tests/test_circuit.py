"""The circuit as a value: its order, what its nodes decide, and that it is kept on disk whole."""

from __future__ import annotations

import dataclasses
import math
import random
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepplp.circuit import FALSE_NODE, TRUE_NODE, Circuit
from deepplp.circuit.indices import grouped
from deepplp.compilation import compile_formula
from deepplp.formula import Formula, depth_first_order
from deepplp.program import Program, Term
from deepplp.queries.header import Header
from deepplp.queries.storage import Storage
from tests.formulas import ALONG_ORDERS, chain, fixed_weights
from tests.oracles import assignments, world_truth
from tests.strategies import formulas


def elements_of(circuit: Circuit, node: int) -> list[tuple[list[int], int]]:
    """A node's elements: the columns of each prime, and the sub."""
    return [
        (circuit.leaf_columns[circuit.leaf_offsets[p] : circuit.leaf_offsets[p + 1]].tolist(), int(s))
        for p, s in zip(
            circuit.primes[circuit.node_offsets[node] : circuit.node_offsets[node + 1]],
            circuit.subs[circuit.node_offsets[node] : circuit.node_offsets[node + 1]],
            strict=True,
        )
    ]


@given(formulas(), st.randoms(use_true_random=False))
def test_the_order_is_that_of_the_nodes(formula: Formula, rng: random.Random) -> None:
    """All leaves of a node belong to one choice, and its subs decide later ones; both compilers say the order given."""
    order = list(depth_first_order(formula))
    rng.shuffle(order)
    for circuit in (compile_formula(formula, order, compiler=name) for name in ALONG_ORDERS):
        assert circuit.order.dtype == np.int64
        assert circuit.order.tolist() == order
        choices = circuit.node_choices
        assert choices.dtype == np.int64
        assert choices.shape == (circuit.nodes,)
        assert choices[:2].tolist() == [-1, -1]
        rank = {c: i for i, c in enumerate(order)}
        for node in range(2, circuit.nodes):
            choice = int(choices[node])
            first, end = circuit.column_offsets[choice : choice + 2]
            for columns, sub in elements_of(circuit, node):
                assert all(first <= c < end for c in columns)
                assert sub != FALSE_NODE
                assert sub == TRUE_NODE or rank[int(choices[sub])] > rank[choice]


@given(formulas())
def test_the_order_is_a_permutation_of_what_the_goals_reach(formula: Formula) -> None:
    """Whatever order wins, it names each choice that the goals reach, once, and none else."""
    circuit = compile_formula(formula)
    assert sorted(circuit.order.tolist()) == sorted(depth_first_order(formula))
    assert set(circuit.node_choices[2:].tolist()) <= set(circuit.order.tolist())


def best_world(circuit: Circuit, weights: list[tuple[float, ...]], root: int) -> float:
    """The largest weight of a world in which a root holds, by a max-product walk as `Circuit` describes it."""
    order = circuit.order.tolist()
    rank = {c: i for i, c in enumerate(order)}
    best = [max(weights[c]) for c in order]
    place = [rank.get(c, len(order)) for c in circuit.node_choices.tolist()]
    flat = [p for w in weights for p in w]
    value = [0.0, 1.0]
    for node in range(2, circuit.nodes):
        value.append(
            max(
                max(flat[c] for c in columns) * value[sub] * math.prod(best[place[node] + 1 : place[sub]])
                for columns, sub in elements_of(circuit, node)
            )
        )
    outside = math.prod(max(w) for c, w in enumerate(weights) if c not in rank)
    return value[root] * math.prod(best[: place[root]]) * outside


@given(formulas(max_choices=4), st.randoms(use_true_random=False))
def test_the_order_suffices_for_the_best_world(formula: Formula, rng: random.Random) -> None:
    """With the order and what each node decides, a max-product walk finds the weight of each goal's best world."""
    order = list(depth_first_order(formula))
    rng.shuffle(order)
    circuit = compile_formula(formula, order)
    weights = fixed_weights(formula)
    expected = [0.0] * len(formula.queries)
    for world in assignments([len(w) for w in weights]):
        truth = world_truth(formula, world)
        held = [truth[abs(g.literal) - 1] == (g.literal > 0) for g in (*formula.queries, *formula.evidence)]
        if all(held[len(formula.queries) :]):
            weight = math.prod(w[v] for w, v in zip(weights, world, strict=True))
            expected = [max(e, weight * h) for e, h in zip(expected, held, strict=False)]
    found = [best_world(circuit, weights, int(root)) for root in circuit.roots]
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=0)


@given(st.lists(st.integers(0, 9), max_size=40), st.sampled_from([10, 1 << 16, (1 << 16) + 1, 100_000]))
def test_places_of_every_key(keys: list[int], count: int) -> None:
    """Places are grouped by their keys, in order, whether the numbers are short or long."""
    spread = [key * (count - 1) // 9 for key in keys]
    offsets, order = grouped(np.array(spread, dtype=np.int64), count)
    assert offsets[0] == 0
    assert offsets[-1] == len(keys)
    for key in {0, count - 1, *spread}:
        expected = [place for place, k in enumerate(spread) if k == key]
        assert order[offsets[key] : offsets[key + 1]].tolist() == expected


def test_the_chain_decides_three_choices_a_digit() -> None:
    """The carry chain's nodes decide a digit of x, then one of y, then one of z, then the next; the last carry last."""
    circuit = compile_formula(chain(4))
    assert circuit.order.tolist() == list(range(13))
    counts = np.bincount(circuit.node_choices[2:], minlength=13)
    assert counts.sum() == circuit.nodes - 2
    assert counts[0] == 1
    assert counts[-1] == 2


def header_of(formula: Formula) -> Header:
    """A header of a formula that names its values, queries and evidence by text."""
    choices = [dataclasses.replace(c, values=tuple(Term(f"v{v}") for v in c.values)) for c in formula.choices]
    queries, evidence = (tuple(Term(str(goal.term)) for goal in goals) for goals in (formula.queries, formula.evidence))
    return Header(tuple(choices), queries, evidence)


@given(formulas())
def test_what_is_kept_is_the_whole_circuit(formula: Formula) -> None:
    """A circuit from disk has every field of the one that was written, dtypes included."""
    circuit = compile_formula(formula)
    header = header_of(formula)
    with tempfile.TemporaryDirectory() as folder:
        storage = Storage(Path(folder), Program.from_string("a."))
        storage.save("key", header, circuit)
        found = storage.load("key")
    assert found is not None
    for field in dataclasses.fields(Circuit):
        kept, made = getattr(found[1], field.name), getattr(circuit, field.name)
        assert type(kept) is type(made), field.name
        np.testing.assert_array_equal(kept, made, err_msg=field.name)
        assert getattr(kept, "dtype", None) == getattr(made, "dtype", None), field.name


def test_a_file_without_the_order_is_made_anew(tmp_path: Path) -> None:
    """A file that lacks the order of its circuit, as one of an earlier format does, is ignored with a warning."""
    storage = Storage(tmp_path, Program.from_string("a."))
    storage.save("key", header_of(chain(1)), compile_formula(chain(1)))
    with np.load(tmp_path / "key.npz") as content:
        arrays = {name: array for name, array in content.items() if name != "order"}
    np.savez_compressed(tmp_path / "key.npz", **arrays)
    with pytest.warns(match="damaged"):
        assert storage.load("key") is None
