"""From formulas to circuits: the count never changes, whatever else does."""

from __future__ import annotations

import hashlib
import itertools
import os
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from deepplp.circuit import FALSE_NODE, TRUE_NODE, Circuit, bind
from deepplp.compilation import ORDERS, CompilerName, compile_formula
from deepplp.compilation.encoding import encode_choices
from deepplp.compilation.node_store import NodeStore
from deepplp.errors import NegativeCycleError
from deepplp.evaluation import evaluate
from deepplp.formula import And, Atom, Choice, Fixed, Formula, Goal, Node, Or, depth_first_order
from deepplp.grounding import ground
from deepplp.program import Program, parse_goal
from tests.formulas import ALONG_ORDERS, NOTHING, chain, conjunction, fixed_weights, flat, random_weights, uniform
from tests.oracles import enumerate_formula
from tests.strategies import formulas

ADDITION = "nn(n, [X], Y, [0..9]) :: d(X, Y). s(X, Y, Z) :- d(X, A), d(Y, B), Z is A + B."
CHAIN = """
nn(mnist_net, [X], Y, [0..9]) :: digit(X, Y).
nn(label, [K], Z, [0..9]) :: z(K, Z).
add([], [], C, [Z]) :- z(Z, C).
add([X|Xs], [Y|Ys], C, [Z|Zs]) :-
    digit(X, A), digit(Y, B), S is A + B + C, D is S mod 10, z(Z, D), N is S // 10, add(Xs, Ys, N, Zs).
"""


def chain_goal(n: int) -> str:
    """The query of n digits."""
    xs, ys, zs = ([f"{name}{i}" for i in range(n + (name == "z"))] for name in "xyz")
    return f"add([{','.join(xs)}],[{','.join(ys)}],0,[{','.join(zs)}])"


def probabilities(circuit: Circuit, formula: Formula) -> list[float]:
    """P(query | evidence) of the queries under the probabilities that the formula states."""
    return evaluate(bind(circuit), flat(formula), NOTHING)[1][0].tolist()


def conditional(formula: Formula) -> list[float] | None:
    """The same by enumeration; None where the evidence is impossible."""
    joint, total = enumerate_formula(formula, fixed_weights(formula))
    return [p / total for p in joint] if total else None


def arrays(circuit: Circuit) -> list[np.ndarray]:
    """The circuit's arrays."""
    return [
        circuit.column_offsets, circuit.leaf_offsets, circuit.leaf_columns, circuit.node_offsets, circuit.primes,
        circuit.subs, circuit.roots, circuit.order, np.array([circuit.evidence]),
    ]  # fmt: skip


@given(formulas(), st.randoms(use_true_random=False))
def test_the_weighted_model_count(formula: Formula, rng: random.Random) -> None:
    """Compilation never changes a weighted model count, whatever the order of the choices."""
    expected = conditional(formula)
    order = list(depth_first_order(formula))
    rng.shuffle(order)
    for chosen in (None, order, order[::-1], *ORDERS):
        found = probabilities(compile_formula(formula, chosen), formula)
        if expected is None:
            assert np.isnan(found).all()
        else:
            np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)


@given(formulas())
def test_nodes_are_ordered_deterministic_and_decomposable(formula: Formula) -> None:
    """A node's primes are disjoint sets of one choice's values; its subs stand before it and read later choices only.

    No two nodes are equal, and the roots use all of them.
    """
    circuit = compile_formula(formula)
    rank = {choice: i for i, choice in enumerate(depth_first_order(formula))}
    owner = np.searchsorted(circuit.column_offsets, circuit.leaf_columns, side="right") - 1
    first = [len(rank)] * circuit.nodes  # the rank of the first choice that a node reads
    used = {FALSE_NODE, TRUE_NODE, circuit.evidence, *circuit.roots.tolist()}
    seen: set[tuple[tuple[int, int], ...]] = set()
    for n in range(2, circuit.nodes):
        elements = range(circuit.node_offsets[n], circuit.node_offsets[n + 1])
        pairs = tuple((int(circuit.primes[e]), int(circuit.subs[e])) for e in elements)
        assert pairs
        assert pairs not in seen
        seen.add(pairs)
        spans = [slice(circuit.leaf_offsets[p], circuit.leaf_offsets[p + 1]) for p, _ in pairs]
        columns = [c for s in spans for c in circuit.leaf_columns[s]]
        assert len(columns) == len(set(columns)), "primes overlap"
        (choice,) = {o for s in spans for o in owner[s]}
        first[n] = rank[choice]
        for _, sub in pairs:
            assert sub < n
            assert sub != FALSE_NODE
            assert first[sub] > first[n], "a choice is read twice on one way down"
        used.update(sub for _, sub in pairs)
    assert used == set(range(circuit.nodes))


@given(formulas())
def test_collecting_garbage_changes_nothing(formula: Formula) -> None:
    """Dead nodes may be collected whenever the compiler offers to: the circuit counts the same, in as many nodes."""
    expected = compile_formula(formula)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(NodeStore, "is_worth_collecting", True)
        found = compile_formula(formula)
    assert (found.nodes, found.elements, found.leaves) == (expected.nodes, expected.elements, expected.leaves)
    np.testing.assert_array_equal(probabilities(found, formula), probabilities(expected, formula))


@pytest.mark.parametrize("k", [1, 2, 3, 4, 5, 7, 8, 9, 17])
def test_every_value_is_a_leaf_and_its_negation_the_rest(k: int) -> None:
    """Value v of k is one column, its negation the sum of the others: spare codes count nothing, and 1 - p is never."""
    nodes: list[Node] = [And(()), *(Atom(0, v) for v in range(k))]
    goals = [*range(2, k + 2), *range(-2, -k - 2, -1)]
    formula = Formula((uniform(k),), tuple(nodes), tuple(Goal(str(g), g) for g in goals))
    circuit = compile_formula(formula)
    weights = torch.tensor([[10.0 ** (-3 * v) for v in range(k)]], dtype=torch.float64)
    _, probs = evaluate(bind(circuit), weights, NOTHING)
    w = weights[0].tolist()
    # A choice with one value alone holds in every world: its root is the constant 1.
    positive = w if k > 1 else [1.0]
    negative = [sum(sorted(w[:v] + w[v + 1 :])) for v in range(k)]
    assert probs[0].tolist() == pytest.approx([*positive, *negative], rel=1e-14)


@pytest.mark.parametrize(("mentioned", "bits"), [((3,), 1), ((3, 7), 2), ((0, 500, 999), 2), (tuple(range(7)), 3)])
def test_heads_without_a_mention_merge(mentioned: tuple[int, ...], bits: int) -> None:
    """Of a thousand heads those that are mentioned and one class of all others take ceil(log2) bits together."""
    heads = "; ".join(f"0.001::h({i})" for i in range(1000))
    rules = " ".join(f"q :- h({i})." for i in mentioned)
    formula = ground(Program.from_string(f"{heads}. {rules}"), [parse_goal("q")])
    (encoded,) = encode_choices(formula, (0,))
    assert len(encoded.variables) == bits
    assert sorted(v for members in encoded.classes for v in members) == list(range(1000))
    circuit = compile_formula(formula)
    assert (circuit.columns, circuit.nodes, circuit.leaves) == (1000, 3, 1)
    assert sorted(circuit.leaf_columns.tolist()) == list(mentioned)
    assert probabilities(circuit, formula) == pytest.approx([len(mentioned) / 1000], rel=1e-12)


def test_a_thousand_values() -> None:
    """A choice with a thousand values, each a query, is a thousand leaves under a thousand roots."""
    nodes: list[Node] = [And(()), *(Atom(0, v) for v in range(1000))]
    formula = Formula((uniform(1000),), tuple(nodes), tuple(Goal(str(v), v + 2) for v in range(1000)))
    circuit = compile_formula(formula)
    assert (circuit.leaves, len(set(circuit.roots.tolist()))) == (1000, 1000)
    assert probabilities(circuit, formula) == pytest.approx([0.001] * 1000)


def test_roots_share_one_circuit() -> None:
    """All answers of a query are roots of one circuit, smaller than the answers' circuits together."""
    program = Program.from_string(ADDITION)
    together = compile_formula(ground(program, [parse_goal("s(a, b, S)")]))
    apart = [compile_formula(ground(program, [parse_goal(f"s(a, b, {i})")])) for i in range(19)]
    assert len(together.roots) == 19
    assert together.leaves == 20, "a leaf for each value of each digit"
    assert sum(c.leaves for c in apart) == 200
    # 19 sums over the first digit, which stand on the 10 values of the second.
    assert together.nodes == 2 + 10 + 19


def test_equal_queries_are_one_root() -> None:
    """Queries that are equivalent, however they are written, have the same root."""
    text = "0.3::a. 0.4::b. p :- a, b. q :- b, a, b. r :- \\+nr. nr :- \\+a. nr :- \\+b. s :- a, \\+b."
    circuit = compile_formula(ground(Program.from_string(text), [parse_goal(g) for g in "pqrs"]))
    p, q, r, s = circuit.roots
    assert p == q == r != s


@pytest.mark.parametrize(
    ("children", "root"), [((2, 2), None), ((2, -2), FALSE_NODE), ((-1, 2), FALSE_NODE), ((1, 1), TRUE_NODE)]
)
def test_conjunctions_of_the_same(children: tuple[int, ...], root: int | None) -> None:
    """x and x is x, x and not x is false, true and true is true; and so for disjunctions of the opposites."""
    nodes = (And(()), Atom(0, 0), And(children), Or(tuple(-c for c in children)))
    formula = Formula((uniform(3),), nodes, (Goal("and", 3), Goal("or", 4)))
    circuit = compile_formula(formula)
    if root is None:
        assert probabilities(circuit, formula) == pytest.approx([1 / 3, 2 / 3])
    else:
        assert circuit.roots.tolist() == [root, 1 - root]


def test_certain_and_impossible_evidence() -> None:
    """Evidence that holds anyway is the constant 1; evidence that cannot hold is the constant 0, as are all roots."""
    nodes = (And(()), Atom(0, 0), Or((2, -2)))
    queries = (Goal("x", 2), Goal("not x", -2))
    certain = compile_formula(Formula((uniform(2),), nodes, queries, (Goal("e", 3),)))
    assert certain.evidence == TRUE_NODE
    impossible = compile_formula(Formula((uniform(2),), nodes, queries, (Goal("e", -3),)))
    assert impossible.evidence == FALSE_NODE
    assert impossible.roots.tolist() == [FALSE_NODE, FALSE_NODE]


def _cyclic(children: tuple[tuple[int, ...], ...], goal: int = 3) -> Formula:
    nodes = (And(()), Atom(0, 0), *(Or(c) for c in children))
    return Formula((uniform(2),), nodes, (Goal("q", goal),))


@pytest.mark.parametrize(
    "children",
    [((-3,),), ((2, -3),), ((-4,), (3,)), ((4,), (-5,), (3, 2)), ((-4,), (-3,)), ((3, 4), (-3,))],
    ids=["itself", "itself and more", "two nodes", "three nodes", "twice negated", "positive cycle as well"],
)
def test_negative_cycles_are_refused(children: tuple[tuple[int, ...], ...]) -> None:
    """A cycle through a negation, even through two, has no least fixpoint: it is an error that lists its nodes."""
    with pytest.raises(NegativeCycleError, match="negation") as caught:
        compile_formula(_cyclic(children))
    assert 1 <= len(caught.value.cycle) <= len(children)


def test_negative_cycles_beside_the_goals_do_not_matter() -> None:
    """What no goal depends on is not looked at; a negation below a cycle or above it is none on it."""
    formula = _cyclic(((2,), (-4,)))
    assert probabilities(compile_formula(formula), formula) == [0.5]
    formula = _cyclic(((4, -2), (3,), (-3,)), goal=5)
    assert probabilities(compile_formula(formula), formula) == [0.5]


def test_positive_cycles_are_least_fixpoints() -> None:
    """An atom that rests on itself alone is false; one support from outside makes the whole cycle true."""
    alone = _cyclic(((4,), (3,)))
    assert compile_formula(alone).roots.tolist() == [FALSE_NODE]
    supported = _cyclic(((4,), (5,), (3, 2)))
    assert probabilities(compile_formula(supported), supported) == [0.5]


@pytest.mark.parametrize("body", ["x, \\+y", "y, \\+x", "x, y", "\\+x, \\+y"])
@pytest.mark.parametrize("compiler", ALONG_ORDERS)
def test_the_only_reader_of_a_cycle(body: str, compiler: CompilerName) -> None:
    """A node that alone reads several nodes of a cycle may read them negated: it is none of the cycle's equations."""
    text = f"0.5::a. 0.25::b. 0.75::c. 0.125::d. x :- a. x :- y, b. y :- c. y :- x, d. q :- {body}."
    formula = ground(Program.from_string(text), ["q"])
    assert probabilities(compile_formula(formula, compiler=compiler), formula) == pytest.approx(conditional(formula))


def ring(n: int) -> Formula:
    """Node i holds if fact i does, or if its neighbour holds and the edge to it does: n nodes in one cycle."""
    choices = (uniform(2),) * (2 * n)
    nodes: list[Node] = [And(()), *(Atom(i, 0) for i in range(2 * n))]
    start = len(nodes) + 1
    for i in range(n):
        step = start + 2 * ((i + 1) % n)
        nodes += [Or((2 + i, start + 2 * i + 1)), And((2 + n + i, step))]
    return Formula(choices, tuple(nodes), (Goal("first", start),))


@pytest.mark.parametrize("n", [1, 2, 3, 6])
def test_rings(n: int) -> None:
    """The first of a ring of n holds if, for some i < n, its first i edges hold, and so does the fact behind them."""
    formula = ring(n)
    expected = conditional(formula)
    assert expected is not None
    assert probabilities(compile_formula(formula), formula) == pytest.approx(expected, rel=1e-12)
    # By hand: fail(i) = 1/2 * (1/2 + 1/2 * fail(i + 1)), and the last node's edge leads nowhere new.
    fail = 0.5
    for _ in range(n - 1):
        fail = 0.5 * (0.5 + 0.5 * fail)
    assert expected == pytest.approx([1 - fail], rel=1e-12)


def test_chains_grow_linearly() -> None:
    """Every digit adds the same 33 nodes, 150 elements and 30 leaves to the carry chain's circuit."""
    for n in (1, 2, 15, 60):
        circuit = compile_formula(chain(n))
        assert (circuit.nodes, circuit.elements, circuit.leaves) == (33 * n + 1, 150 * n - 19, 30 * n + 2)


@pytest.mark.parametrize(("n", "nodes"), [(2, 67), (15, 496)])
def test_the_ground_chain_is_the_one_by_hand(n: int, nodes: int) -> None:
    """The program's ground formula compiles to the circuit of the formula by hand, whatever the engine made of it."""
    circuit = compile_formula(ground(Program.from_string(CHAIN), [parse_goal(chain_goal(n))]))
    by_hand = compile_formula(chain(n))
    assert circuit.nodes == by_hand.nodes == nodes
    assert (circuit.elements, circuit.leaves) == (by_hand.elements, by_hand.leaves)


def test_recursive_call_first_or_last() -> None:
    """Whether a chain's recursive call is the first or the last goal of its body does not change the circuit's size."""
    first = CHAIN.split("add(")[0] + (
        "sum(Xs, Ys, Zs) :- add(Xs, Ys, Zs, C), z(top, C).\nadd([], [], [], 0).\n"
        "add([X|Xs], [Y|Ys], [Z|Zs], C) :- add(Xs, Ys, Zs, N), digit(X, A), digit(Y, B), S is A + B + N,"
        " D is S mod 10, z(Z, D), C is S // 10."
    )
    lists = [",".join(f"{name}{i}" for i in range(12)) for name in "xyz"]
    goal = parse_goal(f"sum([{lists[0]}],[{lists[1]}],[{lists[2]}])")
    assert compile_formula(ground(Program.from_string(first), [goal])).nodes == 33 * 12 + 1


def _nested(n: int) -> Formula:
    """n facts, each conjoined with the conjunction of those before it: a formula n levels deep."""
    nodes: list[Node] = [And(()), *(Atom(i, 0) for i in range(n))]
    for i in range(n):
        nodes.append(And((2 + i, len(nodes) if i else 1)))
    return Formula((uniform(2),) * n, tuple(nodes), (Goal("all", len(nodes)),))


DEEP = """
import sys, threading
import numba, torch
from deepplp.compilation import compile_formula
from deepplp.circuit import bind
from deepplp.evaluation import evaluate
from tests.formulas import NOTHING, chain, conjunction, random_weights
from tests.test_compilation import _nested, ring

small = compile_formula(chain(1))
evaluate(bind(small), random_weights(small, 1).requires_grad_(), NOTHING)[0].sum().backward()  # imports, kernels
sys.setrecursionlimit(120)
formulas = {"conjunction": conjunction(5000), "nested": _nested(5000), "chain": chain(300), "ring": ring(400)}

def work():
    for name, formula in formulas.items():
        circuit = compile_formula(formula)
        weights = random_weights(circuit, 2).requires_grad_()
        log_probs, _ = evaluate(bind(circuit), weights, NOTHING)
        log_probs.sum().backward()
        assert torch.isfinite(log_probs).all() and torch.isfinite(weights.grad).all(), name
        print(name, circuit.nodes)

threading.stack_size(256 << 10)  # the caller's own stack is small, too
thread = threading.Thread(target=work)
thread.start()
thread.join()
"""


def test_depth_overflows_no_stack() -> None:
    """Thousands of levels need neither Python's recursion nor the caller's C stack, from formula to gradient."""
    done = subprocess.run([sys.executable, "-c", DEEP], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    sizes = dict(line.split() for line in done.stdout.splitlines())
    assert {name: int(size) for name, size in sizes.items() if name != "ring"} == {
        "conjunction": 5002,
        "nested": 5002,
        "chain": 9901,
    }
    assert "ring" in sizes, done.stderr


FINGERPRINT = """
from tests.test_compilation import fingerprint
print(fingerprint())
"""


def fingerprint() -> str:
    """A hash of the circuits of a few programs."""
    digest = hashlib.sha256()
    smokers = (
        "0.3::stress(X) :- person(X). 0.2::influences(X,Y) :- person(X), person(Y). smokes(X) :- stress(X). "
        "smokes(X) :- friend(X,Y), influences(Y,X), smokes(Y). person(a). person(b). person(c). friend(a,b). "
        "friend(b,c). friend(c,a). evidence(smokes(b))."
    )
    for text, goal in ((ADDITION, "s(a, b, S)"), (CHAIN, chain_goal(3)), (smokers, "smokes(X)")):
        formula = ground(Program.from_string(text), [parse_goal(goal)])
        for compiler in ALONG_ORDERS:
            for array in arrays(compile_formula(formula, compiler=compiler)):
                digest.update(array.tobytes())
    return digest.hexdigest()


def test_circuits_are_the_same_in_every_process() -> None:
    """Grounding and compilation depend on no hash seed and no memory address: same program, same arrays."""
    expected = fingerprint()
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run(
            [sys.executable, "-c", FINGERPRINT],
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
            env=environment,
        )
        assert done.stdout.strip() == expected


def test_several_threads_compile_at_once() -> None:
    """Compilations in several threads at once do not disturb each other."""
    built = [chain(n) for n in (3, 4, 5, 6)]
    expected = [arrays(compile_formula(f)) for f in built]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(5):
            for a, b in zip(expected, pool.map(lambda f: arrays(compile_formula(f)), built), strict=True):
                for x, y in zip(a, b, strict=True):
                    np.testing.assert_array_equal(x, y)


def test_choices_that_no_goal_reaches_take_no_part() -> None:
    """A choice that stands in the formula but below no goal costs columns only."""
    choices = (uniform(2), Choice(("a", "b", "c"), Fixed((0.1, 0.2, 0.7))), uniform(2))
    nodes = (And(()), Atom(0, 0), Atom(1, 2), Atom(2, 0), And((2, 4)))
    formula = Formula(choices, nodes, (Goal("q", 5),))
    assert depth_first_order(formula) == (0, 2)
    circuit = compile_formula(formula)
    assert set(circuit.leaf_columns.tolist()) == {0, 5}
    assert probabilities(circuit, formula) == [0.25]


def test_all_functions_of_two_choices() -> None:
    """All 64 functions of a choice with two values and one with three, as disjunctions of worlds, are counted right."""
    choices = (Choice(("a", "b"), Fixed((0.3, 0.7))), Choice(("c", "d", "e"), Fixed((0.2, 0.3, 0.5))))
    nodes: list[Node] = [And(()), *(Atom(0, v) for v in range(2)), *(Atom(1, v) for v in range(3))]
    worlds = list(itertools.product(range(2), range(3)))
    nodes += [And((2 + a, 4 + b)) for a, b in worlds]
    for mask in range(64):
        nodes.append(Or(tuple(7 + i for i in range(6) if mask >> i & 1)))
    queries = tuple(Goal(str(mask), 13 + mask) for mask in range(64))
    formula = Formula(choices, tuple(nodes), queries)
    p = [(0.3, 0.7)[a] * (0.2, 0.3, 0.5)[b] for a, b in worlds]
    expected = [sum(p[i] for i in range(6) if mask >> i & 1) for mask in range(64)]
    for order in ((0, 1), (1, 0)):
        circuit = compile_formula(formula, order)
        assert probabilities(circuit, formula) == pytest.approx(expected, rel=1e-14)
        assert len(set(circuit.roots.tolist())) == 64


def test_random_weights_of_a_conjunction() -> None:
    """The conjunction of all facts is one node a fact, whatever the order."""
    formula = conjunction(40)
    order = list(range(40))
    random.Random(1).shuffle(order)
    for chosen in (None, order):
        circuit = compile_formula(formula, chosen)
        assert circuit.nodes == 42
        weights = random_weights(circuit, 3)
        _, probs = evaluate(bind(circuit), weights, NOTHING)
        torch.testing.assert_close(probs[:, 0], weights[:, ::2].prod(dim=1))
