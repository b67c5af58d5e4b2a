"""Programs to ground and compile: Bayesian networks, carry chains, grids, cyclic graphs, smokers, trees, a sudoku."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from experiments.benchmarks.networks import BayesianNetwork, atom, load_network, program_text
from experiments.datasets import find_data, missing_data
from experiments.training import PROGRAMS

__all__ = [
    "Case",
    "cases",
    "chain",
    "cyclic",
    "grid",
    "hidden_markov",
    "network_case",
    "observation",
    "quick_cases",
    "smokers",
    "sudoku",
    "tree",
]

NETWORKS = (
    "asia", "cancer", "earthquake", "survey", "sachs", "child", "alarm", "hepar2", "win95pts", "pigs", "insurance",
    "water", "hailfinder", "andes",
)  # fmt: skip
REACH = " reach(X) :- start(X). reach(Y) :- reach(X), edge(X, Y). "
BOTH_WAYS = " edge(X, Y) :- e(X, Y). edge(X, Y) :- e(Y, X)."


@dataclass(frozen=True)
class Case:
    """A program and its queries, the Bayesian network that it says, and whether ProbLog can run it."""

    name: str
    text: str
    queries: tuple[str, ...]
    evidence: Mapping[str, bool] = field(default_factory=dict)
    network: BayesianNetwork | None = None
    observed: Mapping[str, str] = field(default_factory=dict)
    problog: bool = True


def network_case(name: str, network: BayesianNetwork, observed: Mapping[str, str]) -> Case:
    """All marginals of a Bayesian network."""
    evidence = {atom(v, value): True for v, value in observed.items()}
    queries = tuple(atom(v, value) for v, values in network.values.items() for value in values)
    title = f"{name}{', evidence' if observed else ''}"
    return Case(title, program_text(network), queries, evidence, network, observed)


def observation(network: BayesianNetwork) -> dict[str, str]:
    """The last two variables without children, at their likelier value by an average row of their tables."""
    inner = {p for parents in network.parents.values() for p in parents}
    leaves = [v for v in network.values if v not in inner][-2:]
    return {
        v: network.values[v][int(network.tables[v].reshape(-1, len(network.values[v])).mean(axis=0).argmax())]
        for v in leaves
    }


def grid(n: int, directed: bool) -> Case:
    """Reaching the far corner of a grid of n by n nodes over edges that are there with probability 0.9."""
    edges = [
        f"0.9::e(n({r},{c}), n({r + down},{c + right}))."
        for r in range(n)
        for c in range(n)
        for down, right in ((0, 1), (1, 0))
        if r + down < n and c + right < n
    ]
    rules = " edge(X, Y) :- e(X, Y)." if directed else BOTH_WAYS
    text = " ".join(edges) + rules + REACH + "start(n(0,0))."
    return Case(f"{'grid' if directed else 'undirected grid'} {n}", text, (f"reach(n({n - 1},{n - 1}))",))


def cyclic(seed: int) -> Case:
    """Reaching one of 14 nodes from another over 35 undirected edges."""
    pairs = [(i, j) for i in range(14) for j in range(i)]
    edges = random.Random(seed).sample(pairs, 35)
    text = " ".join(f"0.3::e({i}, {j})." for i, j in edges) + BOTH_WAYS + REACH + "start(0)."
    return Case(f"cyclic graph {seed}", text, ("reach(13)",))


def smokers(n: int) -> Case:
    """Friends who make each other smoke, each with two friends drawn at random."""
    generator = random.Random(0)
    friends = sorted({(i, j) for i in range(n) for j in generator.sample(range(n), 2) if i != j})
    text = (
        "0.3::stress(X) :- person(X). 0.2::influences(X, Y) :- person(X), person(Y). smokes(X) :- stress(X). "
        "smokes(X) :- friend(X, Y), influences(Y, X), smokes(Y). 0.4::asthma(X) :- smokes(X). "
    )
    text += " ".join(f"person({i})." for i in range(n)) + " " + " ".join(f"friend({i}, {j})." for i, j in friends)
    return Case(f"smokers {n}", text, ("asthma(X)",))


def chain(digits: int) -> Case:
    """Adding two numbers whose digits, and whose sum's digits, networks read."""
    lists = [",".join(f"{letter}{i}" for i in range(digits + (letter == "z"))) for letter in "xyz"]
    goal = f"addition([{lists[0]}],[{lists[1]}],[{lists[2]}])"
    return Case(f"chain {digits}", (PROGRAMS / "mnist_multi_digit_addition.pl").read_text(), (goal,), problog=False)


def tree(size: int) -> Case:
    """Labels of the vertices of a random tree, each of seven values, that would rather agree with their neighbours'."""
    generator = random.Random(0)
    lines = [f"edge(x{generator.randrange(i)}, x{i})." for i in range(1, size)]
    for i in range(size):
        numbers = [generator.random() for _ in range(7)]
        heads = (f"{n / sum(numbers)}::label(x{i}, {value})" for value, n in enumerate(numbers))
        lines.append("; ".join(heads) + ".")
    lines.append("0.3::agree(X, Y) :- edge(X, Y). fine :- \\+clash.")
    lines.append("clash :- edge(X, Y), label(X, C), label(Y, D), C \\= D, agree(X, Y).")
    return Case(f"tree {size}", "\n".join(lines), ("label(_, _)",), {"fine": True}, problog=False)


def hidden_markov(steps: int) -> Case:
    """The states of a hidden Markov model with two states and two observations, given what is observed at each step."""
    text = (
        "0.5::s(0, a); 0.5::s(0, b). 0.7::s(T, a); 0.3::s(T, b) :- step(T), P is T - 1, s(P, a). "
        "0.4::s(T, a); 0.6::s(T, b) :- step(T), P is T - 1, s(P, b). "
        "0.9::o(T, x); 0.1::o(T, y) :- s(T, a). 0.2::o(T, x); 0.8::o(T, y) :- s(T, b). "
    )
    text += " ".join(f"step({t})." for t in range(1, steps))
    seen = {f"o({t}, {'x' if t % 3 else 'y'})": True for t in range(steps)}
    return Case(f"hidden Markov {steps}", text, tuple(f"s({t}, a)" for t in range(steps)), seen)


_SUDOKU = "53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....41............."


def sudoku() -> Case:
    """The cells of a sudoku, 25 of them given, each of nine equally likely values before the rules are known."""
    given = {f"v({i // 9}, {i % 9}, {c})": True for i, c in enumerate(_SUDOKU) if c != "."}
    cells = [(r, c) for r in range(9) for c in range(9) if _SUDOKU[9 * r + c] == "."]
    heads = "; ".join(f"{1 / 9}::v(R, C, {value})" for value in range(1, 10))
    text = (
        f"{heads} :- cell(R, C). peer(R, C, R, D) :- cell(R, C), cell(R, D), C < D. "
        "peer(R, C, Q, C) :- cell(R, C), cell(Q, C), R < Q. "
        "peer(R, C, Q, D) :- cell(R, C), cell(Q, D), R < Q, C =\\= D, R // 3 =:= Q // 3, C // 3 =:= D // 3. "
        "clash :- peer(R, C, Q, D), v(R, C, X), v(Q, D, X). fine :- \\+clash. "
    )
    text += " ".join(f"cell({r}, {c})." for r in range(9) for c in range(9))
    queries = tuple(f"v({r}, {c}, {value})" for r, c in cells for value in range(1, 10))
    return Case("sudoku", text, queries, given | {"fine": True}, problog=False)


def quick_cases() -> tuple[str, ...]:
    """The names of a few cases that take seconds."""
    networks = ("asia", "asia, evidence", "sachs", "alarm") if find_data("bif") is not None else ()
    return ("chain 15", *networks, "grid 6", "undirected grid 4", "smokers 8")


def cases() -> Iterator[Case]:
    """All cases, the networks only where ``DEEPPLP_DATA`` has them."""
    networks = NETWORKS if find_data("bif") is not None else ()
    if not networks:
        print(f"notice: no Bayesian networks ({missing_data('bif')})", file=sys.stderr)
    for digits in (15, 60, 300):
        yield chain(digits)
    for name in networks:
        network = load_network(name)
        yield network_case(name, network, {})
        yield network_case(name, network, observation(network))
    for n in (6, 8, 10, 12):
        yield grid(n, directed=True)
    for n in (4, 5, 6, 7):
        yield grid(n, directed=False)
    for seed in range(3):
        yield cyclic(seed)
    for n in (8, 16, 32):
        yield smokers(n)
    for n in (20, 60, 200):
        yield tree(n)
    yield hidden_markov(50)
    yield sudoku()
