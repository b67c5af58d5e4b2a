"""Compiled queries in memory and on disk: found again by their pattern, never stale, never trusted blindly."""

from __future__ import annotations

import copy
import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import pytest
import torch
from hypothesis import given
from torch import Tensor

import deepplp
from deepplp import Query, errors
from deepplp.program import decoded_term, encoded_term, parse_goal
from deepplp.queries import storage
from deepplp.queries.cache import CompiledQueries
from deepplp.queries.workshop import _workers
from tests.strategies import programs

ADDITION = "nn(net, [X], Y, [0..9]) :: digit(X, Y).\naddition(X, Y, Z) :- digit(X, A), digit(Y, B), Z is A + B.\n"


@pytest.fixture(autouse=True)
def _everything_is_worth_keeping(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small programs are kept on disk, too."""
    monkeypatch.setattr("deepplp.queries.workshop._WORTH_KEEPING", 0.0)


def identity(x: Tensor) -> Tensor:
    """A network whose input is its output."""
    return x


def model_of(text: str, folder: Path | bool, name: str = "<string>") -> deepplp.Model:
    """A model of a program's text, whose networks return their inputs."""
    program = deepplp.Program.from_string(text, name)
    return deepplp.Model(program, dict.fromkeys(program.networks, identity), cache=folder)


def rows(seed: int, count: int = 1) -> Tensor:
    """Random distributions [count, 10]."""
    return torch.rand(count, 10, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).softmax(1)


def test_all_pairs_share_one_circuit() -> None:
    """Items of a source are names: every pair is answered by the circuit of the first, under its own name."""
    model = model_of(ADDITION, False)
    model.add_tensor_source("train", [rows(i)[0] for i in range(10)])
    answers = [model.query(f"addition(tensor(train({i})), tensor(train({j})), S)") for i, j in [(1, 7), (2, 3), (9, 0)]]
    info = model.cache_info()
    assert (info.built, info.patterns, info.queries, info.compiled) == (2, 1, 3, 2)  # (1, 7) and (2, 3) are in order
    for (i, j), found in zip([(1, 7), (2, 3), (9, 0)], answers, strict=True):
        assert found.terms[3] == f"addition(tensor(train({i})),tensor(train({j})),3)"
        expected = sum(rows(i)[0, a] * rows(j)[0, 3 - a] for a in range(4))
        assert float(found.probs[0, 3]) == pytest.approx(float(expected))
    many = model.query_many([Query(f"addition(tensor(train({i})), tensor(train({i + 1})), S)") for i in range(8)])
    assert len(many) == 8
    assert model.cache_info().built == 2


def test_one_name_twice_is_another_pattern() -> None:
    """A query about one image twice does not share the circuit of a query about two."""
    model = model_of(ADDITION, False)
    x = rows(0)
    twice = model.query("addition(a, a, 4)", {"a": x})
    assert float(twice.probs) == pytest.approx(float(x[0, 2]))
    once = model.query("addition(a, b, 4)", {"a": x, "b": x})
    assert float(once.probs) == pytest.approx(float(sum(x[0, i] * x[0, 4 - i] for i in range(5))))
    assert model.cache_info().built == 2


MENTIONS = [
    ("the program mentions the name", ADDITION + "special(a). p(X) :- special(X), digit(X, 1).", "p({})"),
    ("names are compared", ADDITION + "p(X) :- X @< b, digit(X, 1).", "p({})"),
    ("names are taken apart", ADDITION + "p(X) :- X =.. [a], digit(X, 1).", "p({})"),
]


@pytest.mark.parametrize(("text", "query"), [m[1:] for m in MENTIONS], ids=[m[0] for m in MENTIONS])
def test_names_that_mean_something_stay(text: str, query: str) -> None:
    """Where a program can tell one name from another, each name has its own answer."""
    model = model_of(text, False)
    assert float(model.query(query.format("c"), {"c": rows(0)}).probs) == 0
    assert float(model.query(query.format("a"), {"a": rows(0)}).probs) == pytest.approx(float(rows(0)[0, 1]))


def test_answers_keep_their_order() -> None:
    """Terms stand in the standard order of the names that the caller gave, beside constants of the program."""
    model = model_of("nn(net, [X]) :: p(X). s(X, Y, Z) :- member(Z, [X, m, Y]), p(X), p(Y).", False)
    x = torch.tensor([0.5])
    for first, second in [("a", "z"), ("z", "a"), ("n", "o"), ("b", "c")]:
        found = model.query(f"s({first}, {second}, Z)", {first: x, second: x}).terms
        names = sorted([first, second, "m"])
        assert found == tuple(f"s({first},{second},{n})" for n in names)


def test_a_second_model_reads_from_disk(tmp_path: Path) -> None:
    """Another model of the same program finds what the first compiled; another program, and another query, do not."""
    text = (
        ADDITION
        + "0.3::noise. t(0.25)::flaw(X) :- digit(X, 1). q(X) :- flaw(X), \\+noise. evidence(digit(i, 9), false)."
    )
    inputs = {"i": rows(1, 3)}
    first = model_of(text, tmp_path)
    expected = first.query(["q(i)", "digit(i, 5)"], inputs, evidence={"noise": torch.tensor([0.1, 0.5, 0.9])})
    assert first.cache_info().built == 1
    again = model_of(text, tmp_path)
    found = again.query(["q(i)", "digit(i, 5)"], inputs, evidence={"noise": torch.tensor([0.1, 0.5, 0.9])})
    info = again.cache_info()
    assert (info.disk, info.built) == (1, 0)
    assert info.disk_bytes > 0
    assert info.folder == tmp_path
    assert found.terms == expected.terms
    assert torch.equal(found.probs, expected.probs)
    assert torch.equal(found.log_evidence, expected.log_evidence)
    changed = model_of(text.replace("0.3::noise", "0.4::noise"), tmp_path)
    changed.query(["q(i)", "digit(i, 5)"], inputs)
    assert changed.cache_info().built == 1
    assert again.learned_program() == first.learned_program()


@given(programs(networks=True))
def test_what_is_read_is_what_was_written(program: object) -> None:
    """Answers from disk have the bits of those that were compiled."""
    import tempfile

    text = program.text()  # type: ignore[attr-defined]
    inputs = {r.network: torch.tensor([r.probabilities]).double() for r in program.rules if r.network}  # type: ignore[attr-defined]
    with tempfile.TemporaryDirectory() as folder:
        results = []
        for _ in range(2):
            model = model_of(text, Path(folder))
            try:
                results.append(model.query(None, inputs))
            except errors.InconsistentEvidenceError as error:
                results.append(str(error))
        if isinstance(results[0], str):
            assert results[0] == results[1]
        else:
            assert results[0].terms == results[1].terms
            assert torch.equal(results[0].probs, results[1].probs)


DAMAGES = {
    "cut off": lambda content: content[: len(content) // 2],
    "empty": lambda content: b"",
    "no archive": lambda content: b"hello, world" * 100,
    "flipped": lambda content: content[:-200] + bytes(255 - b for b in content[-200:-150]) + content[-150:],
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_files_are_made_anew(tmp_path: Path, damage: str) -> None:
    """A file that is cut off, foreign or altered is a warning, and never an answer."""
    inputs = {"a": rows(0), "b": rows(1)}
    expected = model_of(ADDITION, tmp_path).query("addition(a, b, S)", inputs).probs
    (file,) = tmp_path.glob("*.npz")
    file.write_bytes(DAMAGES[damage](file.read_bytes()))
    with pytest.warns(errors.CacheWarning, match="is damaged"):
        found = model_of(ADDITION, tmp_path).query("addition(a, b, S)", inputs).probs
    assert torch.equal(found, expected)
    assert torch.equal(model_of(ADDITION, tmp_path).query("addition(a, b, S)", inputs).probs, expected)


def test_a_circuit_that_was_altered_is_noticed(tmp_path: Path) -> None:
    """A well-formed file whose arrays are not those that were written fails its checksum."""
    inputs = {"a": rows(0), "b": rows(1)}
    model_of(ADDITION, tmp_path).query("addition(a, b, S)", inputs)
    (file,) = tmp_path.glob("*.npz")
    with np.load(file) as content:
        arrays = dict(content)
    arrays["roots"] = arrays["roots"][::-1].copy()
    np.savez_compressed(file, **arrays)
    with pytest.warns(errors.CacheWarning, match="its checksum is wrong"):
        model_of(ADDITION, tmp_path).query("addition(a, b, S)", inputs)


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """Where the disk refuses, the answer comes all the same, with a warning."""
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with pytest.warns(errors.CacheWarning, match="cannot keep a compiled query"):
        answers = model_of(ADDITION, blocked).query("addition(a, b, S)", {"a": rows(0), "b": rows(1)})
    assert len(answers) == 19


def test_the_oldest_files_give_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder stays below its size: files that were not used for longest are removed."""
    for i in range(4):
        model_of(f"0.{i + 1}::a.", tmp_path).query("a")
        for j, path in enumerate(sorted(tmp_path.glob("*.npz"), key=os.path.getmtime)):
            os.utime(path, (1000 + j, 1000 + j))
    size = max(p.stat().st_size for p in tmp_path.glob("*.npz"))
    monkeypatch.setattr(storage, "_MOST_BYTES", 2 * size + 100)
    model_of("0.9::a.", tmp_path).query("a")
    assert len(list(tmp_path.glob("*.npz"))) == 2
    assert not list(tmp_path.glob("*.tmp"))


def test_programs_that_depend_on_more_than_their_text(tmp_path: Path) -> None:
    """A model with Python functions, or whose program loads modules of its own, keeps nothing on disk."""
    model = model_of("q(Y) :- double(2, Y).", tmp_path)
    model.register("double", lambda x: 2 * x, inputs=1)
    assert model.query("q(Y)").terms == ("q(4)",)
    (tmp_path / "more.pl").write_text(":- module(more, [b/1]).\nb(1).\n")
    loading = tmp_path / "main.pl"
    loading.write_text(":- use_module('more.pl').\nq(X) :- b(X).\n")
    assert deepplp.Model(loading, cache=tmp_path).query("q(X)").terms == ("q(1)",)
    assert not list(tmp_path.glob("*.npz"))


def test_a_consulted_file_belongs_to_the_program(tmp_path: Path) -> None:
    """A change in a consulted file is a change of the program."""
    (tmp_path / "main.pl").write_text(":- consult('facts.pl').\nq :- a.\n")
    for p in (0.25, 0.75):
        (tmp_path / "facts.pl").write_text(f"{p}::a.\n")
        assert float(deepplp.Model(tmp_path / "main.pl", cache=tmp_path / "cache").query("q").probs) == p


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The compiled queries that were not used for longest are let go."""
    monkeypatch.setattr("deepplp.queries.cache._MOST_QUERIES", 3)
    monkeypatch.setattr("deepplp.queries.cache._MOST_PATTERNS", 2)
    model = model_of("0.5::a(1..9). " + " ".join(f"0.{i}::b({i})." for i in range(1, 9)), False)
    for i in (1, 2, 3, 1, 4, 1, 5):
        model.query(f"b({i})")
    info = model.cache_info()
    assert (info.queries, info.compiled) == (3, 2)
    assert (info.built, info.memory) == (5, 2)


def test_copies_start_with_an_empty_memory() -> None:
    """A copied model answers by itself."""
    model = model_of(ADDITION, False)
    model.query("addition(a, b, S)", {"a": rows(0), "b": rows(1)})
    assert copy.deepcopy(model).cache_info().queries == 0
    assert isinstance(copy.deepcopy(model)._queries, CompiledQueries)


def _ask(folder: Path, barrier: object, queue: object) -> None:
    barrier.wait(300)  # type: ignore[attr-defined]
    model = model_of(ADDITION, folder)
    found = model.query("addition(a, b, S)", {"a": rows(0), "b": rows(1)}).probs
    queue.put(found.tolist())  # type: ignore[attr-defined]


def test_processes_at_once(tmp_path: Path) -> None:
    """Processes that compile and keep the same query at once all get it right, and leave one whole file."""
    context = multiprocessing.get_context("spawn")
    barrier, queue = context.Barrier(3), context.Queue()
    processes = [context.Process(target=_ask, args=(tmp_path, barrier, queue)) for _ in range(3)]
    for process in processes:
        process.start()
    results = [queue.get(timeout=300) for _ in processes]
    for process in processes:
        process.join(60)
    expected = model_of(ADDITION, False).query("addition(a, b, S)", {"a": rows(0), "b": rows(1)}).probs.tolist()
    assert results == [expected] * 3


def test_the_environment_says_where(tmp_path: Path) -> None:
    """``DEEPPLP_CACHE`` names the folder, and ``off`` says nowhere; the command line uses it, too."""
    code = "import deepplp; print(deepplp.Model(deepplp.Program.from_string('0.3::a.')).cache_info().folder)"
    for value, expected in ((str(tmp_path), str(tmp_path)), ("off", "None")):
        environment = {**os.environ, "DEEPPLP_CACHE": value}
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=True)
        assert done.stdout.strip() == expected


def test_an_empty_value_is_no_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where ``DEEPPLP_CACHE`` is empty, the folder is that of an unset variable: the user's, not the working folder."""
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: tmp_path / name)
    monkeypatch.setenv("DEEPPLP_CACHE", "")
    empty = deepplp.Model(deepplp.Program.from_string("0.3::a.")).cache_info().folder
    monkeypatch.delenv("DEEPPLP_CACHE")
    unset = deepplp.Model(deepplp.Program.from_string("0.3::a.")).cache_info().folder
    assert empty == unset == tmp_path / "deepplp" / "structures"


def chains(count: int) -> list[Query]:
    """Queries of as many compiled forms, with facts of their own."""
    return [
        Query("path(1, X)", facts=" ".join(f"0.5::edge({i}, {i + 1})." for i in range(1, n + 2))) for n in range(count)
    ]


PATHS = "path(X, Y) :- edge(X, Y). path(X, Y) :- edge(X, Z), path(Z, Y)."


@pytest.mark.parametrize("jobs", [1, 2])
def test_queries_are_compiled_ahead(tmp_path: Path, jobs: int) -> None:
    """What is prepared, in one process or several, is not built again; the answers are the same."""
    model = model_of(PATHS, tmp_path)
    model.prepare(chains(6), jobs=jobs)
    assert model.cache_info().built == 6
    found = [a.probs.tolist() for a in model.query_many(chains(6))]
    assert model.cache_info().built == 6
    assert found == [a.probs.tolist() for a in model_of(PATHS, False).query_many(chains(6))]
    again = model_of(PATHS, tmp_path)
    again.prepare(chains(6), jobs=jobs)
    assert (again.cache_info().built, again.cache_info().disk) == (0, 6)


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_any_back_end_of_joblib_compiles(backend: str) -> None:
    """Whatever hands out the work, all queries are compiled."""
    model = model_of(PATHS, False)
    with joblib.parallel_config(backend):
        model.prepare(chains(6), jobs=2)
    assert model.cache_info().built == 6
    assert len(model.query_many(chains(6))) == 6
    assert model.cache_info().built == 6


def test_back_ends_that_hand_back_everything_at_once() -> None:
    """Where a back end cannot hand back results one by one, it is not asked to."""
    with joblib.parallel_config("multiprocessing"):
        assert list(_workers(2)([])) == []


def test_what_cannot_be_prepared_says_so_when_it_is_asked() -> None:
    """An error in one query keeps no other from being prepared, and is raised where it is asked."""
    model = model_of(PATHS, False)
    bad = Query("path(1, X)", facts="0.5::edge(1, 2). edge(2, X) :- missing(X).")
    model.prepare([*chains(2), bad, Query("path(1"), Query("path(1, 2)", facts="edge(1")], jobs=1)
    assert model.cache_info().built == 2
    with pytest.raises(errors.UnknownPredicateError, match=r"<facts>:1:\d+: query 0, .*no clauses for missing/1"):
        model.query_many([bad])


def test_programs_with_networks_are_prepared_elsewhere() -> None:
    """Programs with networks and parameters travel to workers; queries that differ in names alone are made once."""
    model = model_of(ADDITION + "t(0.3)::flaw. odd(X) :- flaw, digit(X, 1).", False)
    model.add_tensor_source("train", [rows(i)[0] for i in range(10)])
    asked = [Query(f"addition(tensor(train({i})), tensor(train({i + 1})), S)") for i in range(5)] + [
        Query("odd(tensor(train(2)))")
    ]
    model.prepare(asked, jobs=2)
    assert model.cache_info().built == 2
    assert float(model.query_many(asked)[5].probs.detach()) == pytest.approx(0.3 * float(rows(2)[0, 1]))


def test_a_dask_cluster_takes_the_work() -> None:
    """Inside joblib's Dask back end, the workers of a cluster ground and compile."""
    distributed = pytest.importorskip("dask.distributed", reason="needs the extra [bench]")
    model = model_of(PATHS, False)
    with (
        distributed.LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None) as cluster,
        distributed.Client(cluster),
        joblib.parallel_config("dask"),
    ):
        model.prepare(chains(4))
    assert model.cache_info().built == 4
    assert len(model.query_many(chains(4))) == 4
    assert model.cache_info().built == 4


@pytest.mark.parametrize(
    ("rule", "term"),
    [
        ("q(X) :- functor(X, f, 2)", "q(f(_,_))"),
        ("q(X) :- functor(X, -, 2)", "q(_-_)"),
        ("q(X) :- p, functor(X, f, 2), arg(1, X, a), arg(2, X, b)", "q(f(a,b))"),
        ("q(X) :- p, functor(X, -, 2), arg(1, X, a), arg(2, X, b)", "q(a-b)"),
        ("q(X) :- p, X =.. [',', a, b]", "q((a, b))"),
        ("q(X) :- p, [a] =.. [X|_]", "q('.')"),
    ],
)
def test_terms_that_are_made_are_kept(tmp_path: Path, rule: str, term: str) -> None:
    """A term of which the program holds the parts alone is read back as it was made."""
    made, again = (model_of(f"0.5::p. {rule}.", tmp_path) for _ in range(2))
    assert made.query("q(X)").terms == again.query("q(X)").terms == (term,)
    assert (made.cache_info().built, again.cache_info().disk) == (1, 1)


def test_facts_of_one_query_reach_no_other() -> None:
    """Queries with facts and without, prepared one after another in one worker, are each of their own program."""
    model = model_of("0.25::edge(1, 2). " + PATHS, False)
    asked = [Query(f"path(1, {n})", facts=facts) for n in range(2, 10) for facts in (f"0.5::edge(1, {n}).", "")]
    model.prepare(asked, jobs=1)  # four chunks of four
    assert model.cache_info().built == len(asked)
    found = [float(a.probs) for a in model.query_many(asked)]
    assert found == pytest.approx([1 - 0.75 * 0.5, 0.25] + [0.5, 0.0] * 7)
    assert model.cache_info().built == len(asked)


READ_BACK = [
    "p(a)",
    "\\+p(a)",
    "not p(a)",
    'q([not p, \\+ r(X), 1.5, "s"])',
    "p((a, (b ; c, \\+ d)))",
    "p(','(a, ';'(b, c)))",
]


@pytest.mark.parametrize("text", READ_BACK)
def test_a_term_is_read_back_as_it_was_written(text: str) -> None:
    """In an entry a negation keeps its word, and a conjunction is no term of a quoted comma."""
    term = parse_goal(text)
    read = decoded_term(encoded_term(term))
    assert str(read) == str(term)
    assert type(read) is type(term)
