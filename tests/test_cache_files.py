"""Files of the cache that are damaged, foreign or made to harm: rebuilt with one warning, whatever they hold."""

from __future__ import annotations

import copy
import io
import json
import os
import stat
import tempfile
import time
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

import deepplp
from deepplp import errors
from deepplp.circuit import Circuit, check_circuit
from deepplp.compilation import compile_formula
from deepplp.queries import entries, storage
from tests.formulas import chain

TEXT = """
    nn(net, [X], Y, [0..2]) :: digit(X, Y).  nn(fit, [X]) :: fits(X).
    nn(tags, [X], L, [cat, dog, cow], independent) :: has(X, L).
    0.3::noise.  t(0.25)::flaw.  t(0.5, X)::odd(X) :- digit(X, 1).
    P :: near(X) :- dot(X, X, P).
    q(X, Y) :- digit(X, Y), fits(X), \\+ noise.
    q(X, L) :- has(X, L), \\+ flaw, odd(X).
    q(X, near) :- near(X).
"""
INPUTS = {"a": torch.tensor([[0.5, 0.25, 0.25], [0.25, 0.125, 0.625]], dtype=torch.float64)}
EVIDENCE = {"noise": torch.tensor([0.5, 1.0], dtype=torch.float64)}


@pytest.fixture(autouse=True)
def _everything_is_worth_keeping(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deepplp.queries.workshop._WORTH_KEEPING", 0.0)


def model(folder: Path, text: str = TEXT) -> deepplp.Model:
    """A model whose choices have every kind of origin."""
    networks: dict[str, Callable[..., Tensor]] = {"net": lambda x: x, "fit": lambda x: x[:, 0], "tags": lambda x: x}
    program = deepplp.Program.from_string(text)
    return deepplp.Model(program, {n: networks[n] for n in program.networks}, cache=folder)


def ask(folder: Path) -> Tensor:
    """The answers' probabilities."""
    return model(folder).query("q(a, Y)", INPUTS, evidence=EVIDENCE).probs.detach()


class Kept(NamedTuple):
    """The name and the content of the query's file, and its answer."""

    name: str
    content: bytes
    expected: Tensor

    def __repr__(self) -> str:
        return "Kept(…)"


@pytest.fixture(scope="module")
def kept() -> Iterator[Kept]:
    """The query's file."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr("deepplp.queries.workshop._WORTH_KEEPING", 0.0)
        expected = ask(Path(folder))
        (file,) = Path(folder).glob("*.npz")
        yield Kept(file.name, file.read_bytes(), expected)


def read(name: str, content: bytes) -> Tensor | None:
    """The answer with a file of this content in the cache, None where it was refused; nothing is raised."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        (Path(folder) / name).write_bytes(content)
        m = model(Path(folder))
        try:
            found = m.query("q(a, Y)", INPUTS, evidence=EVIDENCE).probs.detach()
        except errors.DeepPLPError:  # an entry of other terms, which its checksum vouches for
            return torch.zeros(0)
        said = [str(w.message) for w in caught]
        if m.cache_info().disk == 1:
            assert said == []
            return found
        assert len(said) == 1, said
        assert "is damaged" in said[0]
        assert len(list(Path(folder).glob("*.npz"))) == 1  # made anew
        return None


@given(st.data())
def test_flipped_bytes(kept: Kept, data: st.DataObject) -> None:
    """Bytes that flip make an entry that is refused, or one that holds the same."""
    name, content, expected = kept
    changed = bytearray(content)
    places = st.integers(0, len(content) - 1)
    if data.draw(st.booleans()):  # the headers and the directory of the archive, where zipfile and numpy look
        directory = content.index(b"PK\x01\x02")
        places = st.integers(0, 120) | st.integers(directory, len(content) - 1)
    for place in data.draw(st.lists(places, min_size=1, max_size=3)):
        changed[place] ^= data.draw(st.integers(1, 255))
    found = read(name, bytes(changed))
    assert found is None or torch.equal(found, expected)


@given(st.data())
def test_pieces(kept: Kept, data: st.DataObject) -> None:
    """A piece of a file, and pieces in another order, are refused."""
    name, content, _ = kept
    first, last = sorted((data.draw(st.integers(0, len(content))), data.draw(st.integers(0, len(content)))))
    for piece in (content[first:last], content[first:last] + content[:first], content[last:] + content[:last]):
        if piece != content:
            assert read(name, piece) is None


def parts_of(content: bytes, folder: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The arrays of an entry and what its text says."""
    file = folder / "entry"
    file.write_bytes(content)
    with np.load(file) as found:
        arrays = dict(found)
    text = json.loads(arrays.pop("text").tobytes())
    return arrays, text["content"]


def forged(arrays: dict[str, np.ndarray], content: dict[str, Any], folder: Path) -> bytes:
    """An entry of these parts whose checksum is right."""
    text = json.dumps({"checksum": storage._checksum(arrays, content), "content": content})
    np.savez_compressed(folder / "signed.npz", text=np.frombuffer(text.encode(), np.uint8), **arrays)
    return (folder / "signed.npz").read_bytes()


NUMBERS = st.integers(-3, 60) | st.sampled_from([2**40, 2**62, -(2**62), 2**63 - 1, -(2**63)])


@given(st.data())
def test_arrays_with_a_right_checksum(kept: Kept, data: st.DataObject) -> None:
    """An entry that someone has signed anew is refused, or is a circuit: no kernel reads where it should not."""
    name, content, _ = kept
    with tempfile.TemporaryDirectory() as folder:
        arrays, text = parts_of(content, Path(folder))
        chosen = data.draw(st.sampled_from(sorted(arrays)))
        numbers = arrays[chosen].tolist()
        for _ in range(data.draw(st.integers(1, 3))):
            numbers[data.draw(st.integers(0, len(numbers) - 1))] = data.draw(NUMBERS)
        if data.draw(st.integers(0, 4)) == 0:
            numbers = numbers[: data.draw(st.integers(0, len(numbers)))]
        dtype = data.draw(st.sampled_from([np.int64] * 5 + [np.float64, np.uint64, "S8"]))
        arrays[chosen] = np.array(numbers).astype(dtype)
        try:
            altered = forged(arrays, text, Path(folder))
        except ValueError:  # no numbers any more, so that the checksum cannot be right
            return
        read(name, altered)


def leaves_of(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of all values within a JSON value."""
    yield path
    entries_of = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in entries_of:
        yield from leaves_of(item, (*path, key))


@given(st.data())
def test_headers_with_a_right_checksum(kept: Kept, data: st.DataObject) -> None:
    """Whatever stands in the place of a part of the header, the entry is refused or makes a query."""
    name, content, _ = kept
    with tempfile.TemporaryDirectory() as folder:
        arrays, text = parts_of(content, Path(folder))
        paths = [p for p in leaves_of(text) if p]
        *path, last = data.draw(st.sampled_from(paths))
        holder: Any = text
        for key in path:
            holder = holder[key]
        others = st.sampled_from(
            [None, True, "a", [], {}, 0.5, 2.0, -1, 0, 1, 10**6, float("nan"), [[]], ["observed", 0]]
        )
        holder[last] = data.draw(others)
        read(name, forged(arrays, text, Path(folder)))


@pytest.mark.parametrize(
    ("kind", "place", "wrong"),
    [
        ("fixed", 1, [0.3, 0.3]),
        ("fixed", 1, [0.3, 0.3, 0.4]),
        ("fixed", 1, [-0.5, 1.5]),
        ("neural", 1, -1),
        ("neural", 2, []),
        ("neural", 3, 0),
        ("neural", 4, 3),
        ("label", 3, 3),
        ("label", 3, None),
        ("learnable", 1, -1),
        ("learnable", 3, [0.125]),
        ("learnable", 4, [0.125, 0.875]),
        ("observed", 1, -1),
        ("computed", 1, []),
        ("computed", 1, [1.5]),
    ],
)
def test_every_origin_is_checked(kept: Kept, tmp_path: Path, kind: str, place: int, wrong: object) -> None:
    """A choice whose weights come from elsewhere than its clause says is none of ours, whoever vouches for it."""
    arrays, text = parts_of(kept.content, tmp_path)
    origins = [origin for _, origin, _ in text["choices"]]
    kinds = ["label" if o[0] == "neural" and o[3] is not None else o[0] for o in origins]
    origins[kinds.index(kind)][place] = wrong
    assert read(kept.name, forged(arrays, text, tmp_path)) is None


@pytest.mark.parametrize("part", ["queries", "known", "impossible"])
def test_every_number_of_a_term_is_checked(kept: Kept, tmp_path: Path, part: str) -> None:
    """A number that counts from the end is no term's and no query's."""
    arrays, text = parts_of(kept.content, tmp_path)
    text[part] = [*text[part][:-1], -1]
    assert read(kept.name, forged(arrays, text, tmp_path)) is None


def test_a_circuit_of_other_choices_or_queries(kept: Kept, tmp_path: Path) -> None:
    """One that is whole by itself, but has a value more or a query less than the header, is refused."""
    arrays, text = parts_of(kept.content, tmp_path)
    wider = arrays["column_offsets"].copy()
    wider[-1] += 1
    for altered in ({"roots": arrays["roots"][:-1]}, {"column_offsets": wider}):
        assert read(kept.name, forged({**arrays, **altered}, text, tmp_path)) is None


LEARNT = "t(0.5)::w. t(_, X)::v(X) :- u(X). u(1). q :- w, v(1)."


@pytest.mark.parametrize(
    "alter",
    [
        lambda content: content["choices"][0][1].__setitem__(2, [0]),  # an argument more
        lambda content: content["choices"][0][1].__setitem__(3, [0.5]),  # a stated probability in place of a learnt one
        lambda content: content["choices"][1][1].__setitem__(2, []),  # an argument less
        lambda content: content.__setitem__("evidence", 0),  # worlds are excluded without evidence
    ],
)
def test_headers_that_are_no_query_of_the_program(tmp_path: Path, alter: Callable[[Any], None]) -> None:
    """What the program cannot have led to is refused, so that the model answers, and its parameters fit."""

    def found() -> Any:
        loaded = deepplp.Model(deepplp.Program.from_string(LEARNT), cache=tmp_path)
        return loaded.query("q").probs[0].tolist()

    expected = found()
    (path,) = tmp_path.glob("*.npz")
    arrays, text = parts_of(path.read_bytes(), tmp_path)
    alter(text)
    path.write_bytes(forged(arrays, text, tmp_path))
    with pytest.warns(errors.CacheWarning, match="is damaged"):
        assert found() == expected


CHAIN = compile_formula(chain(2))


def mixed(arrays: dict[str, np.ndarray]) -> None:
    """Put two choices into one leaf."""
    for name, numbers in {
        "column_offsets": [0, 2, 4], "order": [0, 1], "leaf_offsets": [0, 2], "leaf_columns": [1, 2],
        "node_offsets": [0, 0, 0, 1], "primes": [0], "subs": [1], "roots": [2],
    }.items():  # fmt: skip
        arrays[name] = np.array(numbers, dtype=np.int64)


def twice(arrays: dict[str, np.ndarray]) -> None:
    """Decide one choice in a node and in the one that it uses."""
    for name, numbers in {
        "column_offsets": [0, 2], "order": [0], "leaf_offsets": [0, 1, 2], "leaf_columns": [0, 1],
        "node_offsets": [0, 0, 0, 1, 2], "primes": [0, 1], "subs": [1, 2], "roots": [3],
    }.items():  # fmt: skip
        arrays[name] = np.array(numbers, dtype=np.int64)


FAULTS: dict[str, Callable[[dict[str, np.ndarray]], None]] = {
    "leaf_columns": lambda a: a["leaf_columns"].__setitem__(3, 70),
    "primes": lambda a: a["primes"].__setitem__(-1, -1),
    "subs": lambda a: a["subs"].__setitem__(0, len(a["node_offsets"])),
    "roots": lambda a: a["roots"].__setitem__(0, -5),
    "order are out of range": lambda a: a["order"].__setitem__(0, -1),
    "a choice twice": lambda a: a.update(order=np.append(a["order"], a["order"][-1])),
    "before one": lambda a: a["subs"].__setitem__(0, 2),
    "two choices": mixed,
    "order of the choices": lambda a: a.update(order=a["order"][::-1].copy()),
    "to the order": twice,
    "do not keep": lambda a: a.update(order=a["order"][1:]),
    "grow": lambda a: a["leaf_offsets"].__setitem__(2, a["leaf_offsets"][1]),
    "node_offsets do not": lambda a: a["node_offsets"].__setitem__(1, 1),
    "different lengths": lambda a: a.update(subs=a["subs"][:-1]),
    "64-bit": lambda a: a.update(roots=a["roots"].astype(np.int32)),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_every_array_is_checked(fault: str) -> None:
    """A circuit whose arrays point anywhere is none, and the message names the array."""
    names = [f for f in Circuit.__dataclass_fields__ if f != "evidence"]
    arrays = {name: getattr(CHAIN, name).copy() for name in names}
    check_circuit(Circuit(**arrays, evidence=CHAIN.evidence))
    FAULTS[fault](arrays)
    with pytest.raises(ValueError, match=fault):
        check_circuit(Circuit(**arrays, evidence=1))
    with pytest.raises(ValueError, match="evidence"):
        check_circuit(Circuit(**{n: getattr(CHAIN, n) for n in names}, evidence=CHAIN.nodes))


def refused(folder: Path, reason: str) -> None:
    """The query's file is refused with one warning, and made anew as a file."""
    with pytest.warns(errors.CacheWarning, match=reason) as caught:
        ask(folder)
    assert len(caught) == 1
    (file,) = folder.glob("[0-9a-f]*.npz")
    assert stat.S_ISREG(file.lstat().st_mode)
    assert model(folder).query("q(a, Y)", INPUTS, evidence=EVIDENCE) is not None


def test_what_is_no_file(kept: Kept, tmp_path: Path) -> None:
    """A FIFO does not block, and a link is not followed."""
    name, content, _ = kept
    os.mkfifo(tmp_path / name)
    refused(tmp_path, "no regular file")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(content)
    (tmp_path / name).unlink()
    (tmp_path / name).symlink_to(elsewhere)
    refused(tmp_path, "symbolic link")
    assert elsewhere.read_bytes() == content


def test_a_folder_in_the_place_of_a_file(kept: Kept, tmp_path: Path) -> None:
    """Where a folder has the file's name, the answer comes, and warnings say what cannot be read and kept."""
    (tmp_path / kept[0]).mkdir()
    with pytest.warns(errors.CacheWarning, match="Is a directory"), pytest.warns(match="cannot keep"):
        assert torch.equal(ask(tmp_path), kept[2])


def test_entries_that_expand(kept: Kept, tmp_path: Path) -> None:
    """An archive of zeros is refused by the size that it says, and by what it holds where it does not say it."""
    name, content, _ = kept
    arrays, text = parts_of(content, tmp_path)
    arrays["primes"] = np.zeros(1 << 22, dtype=np.int64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(entries, "MOST_BYTES", 1 << 22)
        (tmp_path / name).write_bytes(forged(arrays, text, tmp_path))
        refused(tmp_path, "expands to")
        (tmp_path / name).write_bytes(bytes((1 << 22) + 1))
        refused(tmp_path, "it takes 4194305 bytes")
    lying = bytearray(forged(arrays, text, tmp_path))
    size = (8 << 22) + 128  # of the member with its own header
    assert lying.count(size.to_bytes(4, "little")) > 0
    (tmp_path / name).write_bytes(lying.replace(size.to_bytes(4, "little"), (500).to_bytes(4, "little")))
    refused(tmp_path, "is damaged")


def test_an_entry_under_another_name(tmp_path: Path) -> None:
    """An entry that was copied over another one answers no question of that one's."""
    m = model(tmp_path, "0.25::a. 0.5::b.")
    m.query("a")
    (first,) = tmp_path.glob("*.npz")
    m.query("b")
    (second,) = set(tmp_path.glob("*.npz")) - {first}
    second.write_bytes(first.read_bytes())
    with pytest.warns(errors.CacheWarning, match="another query's"):
        assert float(model(tmp_path, "0.25::a. 0.5::b.").query("b").probs) == 0.5


def test_a_deep_text_is_refused(kept: Kept, tmp_path: Path) -> None:
    """JSON that nests more deeply than Python's stack is a damaged entry."""
    name, content, _ = kept
    arrays, _ = parts_of(content, tmp_path)
    text = np.frombuffer(b"[" * 200_000, np.uint8)
    np.savez_compressed(tmp_path / name, text=text, **arrays)
    refused(tmp_path, "is damaged")


as_other_users = pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")


@as_other_users
def test_a_folder_that_cannot_be_written_serves_hits(kept: Kept, tmp_path: Path) -> None:
    """Whoever may read a folder of others is served from it, without a word."""
    name, content, expected = kept
    (tmp_path / name).write_bytes(content)
    (tmp_path / name).chmod(0o444)
    tmp_path.chmod(0o555)
    try:
        m = model(tmp_path)
        assert torch.equal(m.query("q(a, Y)", INPUTS, evidence=EVIDENCE).probs.detach(), expected)
        assert m.cache_info().disk == 1
    finally:
        tmp_path.chmod(0o755)


def test_a_use_that_cannot_be_noted(kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hit is one where the file's time cannot be set: it belongs to somebody else."""
    name, content, expected = kept
    (tmp_path / name).write_bytes(content)

    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("os.utime", refuse)
    m = model(tmp_path)
    assert torch.equal(m.query("q(a, Y)", INPUTS, evidence=EVIDENCE).probs.detach(), expected)
    assert m.cache_info().disk == 1


def test_a_file_that_cannot_be_opened(kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that only others may read is not called damaged."""
    (tmp_path / kept[0]).write_bytes(kept[1])

    def refuse(path: object, flags: int) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("deepplp.queries.entries.os.open", refuse)
    with pytest.warns(errors.CacheWarning, match=r"cannot be read \(Permission denied\)"):
        found = storage.Storage(tmp_path, model(tmp_path).program).load(kept[0].removesuffix(".npz"))
    assert found is None
    assert (tmp_path / kept[0]).read_bytes() == kept[1]


@pytest.mark.parametrize(("mode", "expected"), [(0o755, 0o644), (0o750, 0o640), (0o700, 0o600), (0o2775, 0o644)])
def test_entries_are_readable_like_their_folder(tmp_path: Path, mode: int, expected: int) -> None:
    """Those whom the folder admits may read what is in it, and nobody else may write it."""
    folder = tmp_path / "cache"
    folder.mkdir()
    folder.chmod(mode)
    model(folder, "0.25::a.").query("a")
    (file,) = folder.glob("*.npz")
    assert stat.S_IMODE(file.stat().st_mode) == expected


def test_leftovers_are_swept(tmp_path: Path) -> None:
    """What an interrupted process left is removed when it is old; files of others and of processes at work stay."""
    key = "0" * 64
    old, young, foreign = tmp_path / f"{key}.abcdefgh.tmp", tmp_path / f"{key}.ijklmnop.tmp", tmp_path / "notes.tmp"
    for path in (old, young, foreign):
        path.write_bytes(b"x")
    before = time.time() - 2 * 3600
    os.utime(old, (before, before))
    os.utime(foreign, (before, before))
    model(tmp_path, "0.25::a.").query("a")
    assert sorted(p.name for p in tmp_path.glob("*.tmp")) == sorted([young.name, foreign.name])


def test_an_interrupted_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while an entry is written removes what is written of it."""

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("numpy.savez_compressed", interrupt)
    with pytest.raises(KeyboardInterrupt):
        model(tmp_path, "0.25::a.").query("a")
    assert list(tmp_path.iterdir()) == []


def test_files_of_others_are_not_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the folder takes too much, only entries give way."""
    monkeypatch.setattr(storage, "_MOST_BYTES", 1)
    np.savez(tmp_path / "data.npz", x=np.zeros(1000))
    model(tmp_path, "0.25::a.").query("a")
    model(tmp_path, "0.5::a.").query("a")
    assert (tmp_path / "data.npz").exists()
    assert len(list(tmp_path.glob("*.npz"))) == 1


def test_info_survives_deletions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files and folders that go while they are counted count for nothing."""
    m = model(tmp_path / "cache", "0.25::a.")
    m.query("a")
    assert m.cache_info().disk_bytes > 0

    def gone(self: os.DirEntry[str], **_: object) -> os.stat_result:
        raise FileNotFoundError

    real = os.scandir

    class Listing:
        def __init__(self, folder: Path) -> None:
            self._found = real(folder)

        def __enter__(self) -> Iterator[Any]:
            class Entry:
                path, name = "gone.npz", "gone.npz"
                is_file = stat = gone

            return iter([Entry()])

        def __exit__(self, *_: object) -> None:
            self._found.close()

    monkeypatch.setattr("deepplp.queries.storage.os.scandir", Listing)
    assert m.cache_info().disk_bytes == 0
    monkeypatch.undo()
    for file in (tmp_path / "cache").iterdir():
        file.unlink()
    (tmp_path / "cache").rmdir()
    assert m.cache_info().disk_bytes == 0


def test_the_code_is_part_of_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What other code has compiled is not served."""
    model(tmp_path, "0.25::a.").query("a")
    monkeypatch.setattr(storage, "_code_digest", lambda: "another")
    m = model(tmp_path, "0.25::a.")
    m.query("a")
    assert m.cache_info().built == 1


def test_evidence_in_another_order_is_the_same(tmp_path: Path) -> None:
    """The order in which evidence is given makes no other entry."""
    text = "0.25::a. 0.5::b. c :- a. c :- b."
    expected = model(tmp_path, text).query("c", evidence={"a": False, "b": True})
    m = model(tmp_path, text)
    found = m.query("c", evidence={"b": True, "a": False})
    assert (m.cache_info().disk, m.cache_info().built) == (1, 0)
    assert torch.equal(found.probs, expected.probs)
    m.query("c", evidence={"a": False, "b": True})
    assert m.cache_info().memory == 1
    m.query("c", evidence={"a": True, "b": False})  # another one
    assert m.cache_info().built == 1


def test_an_error_after_a_hit_keeps_its_place(tmp_path: Path) -> None:
    """File, line and column of a choice come back from disk."""
    text = "\n   nn(net, [X], Y, [0..2]) :: digit(X, Y).\n  P :: near(X) :- dot(X, X, P).  t(0.5)::b.\n"
    said = []
    for _ in range(2):
        m = model(tmp_path, text)
        m.query("digit(a, Y)", INPUTS)
        for query in ("digit(a, 1)", "near(a)"):
            with pytest.raises(errors.NetworkOutputError) as caught:
                m.query(query, {"a": torch.full((1, 3), 0.9)})
            said.append((str(caught.value), caught.value.position))
    assert m.cache_info().disk == 3
    assert said[:2] == said[2:]
    places = [(p.line, p.column) for _, p in said[:2] if p is not None]
    assert places == [(2, 4), (3, 8)]


def test_what_is_registered_later_counts(tmp_path: Path) -> None:
    """Functions, symbols and sources that come after a query was answered change what it finds."""
    text = "nn(net, [X]) :: p(X). s(Y) :- twice(2, Y)."
    program = deepplp.Program.from_string(text)
    m = deepplp.Model(
        program, dict.fromkeys(program.networks, deepplp.Network(lambda x: x[:, 0], output="logits")), cache=tmp_path
    )
    with pytest.raises(errors.MissingInputError):
        m.query("p(tensor(embed(w)))")
    table = m.add_embedding("words", ["w"], dimension=2)
    assert float(m.query("p(w)").probs.detach()) == pytest.approx(float(table.weight[0, 0].sigmoid().detach()))
    assert float(m.query("p(w)", {"w": torch.tensor([[0.0, 0.5]])}).probs) == 0.5
    m.register("twice", lambda x: 2 * x, inputs=1)
    assert m.query("s(Y)").terms == ("s(4)",)
    m.register("twice", lambda x: 3 * x, inputs=1)
    assert m.query("s(Y)").terms == ("s(6)",)


def test_tensor_functions_and_engines_are_part_of_the_key(tmp_path: Path) -> None:
    """A model with functions keeps nothing on disk; one of another engine finds nothing of the first's."""
    text = "0.25::a. 0.5::b. c :- a. c :- b."
    model(tmp_path, text).query("c")
    program = deepplp.Program.from_string(text)
    for settings in ({"grounder": "problog"}, {"compiler": "sdd"}):
        m = deepplp.Model(program, cache=tmp_path, **settings)
        m.query("c")
        assert m.cache_info().built == 1
    assert copy.deepcopy(m).query("c").terms == ("c",)


def test_a_budget_is_no_part_of_the_key(tmp_path: Path) -> None:
    """What is known takes no work, so that a small budget is enough for it."""
    text = " ".join(f"0.5::a({i})." for i in range(40)) + " q :- a(X), a(Y), X < Y, \\+ a(0)."
    expected = model(tmp_path, text).query("q").probs
    program = deepplp.Program.from_string(text)
    small = deepplp.CompileBudget(seconds=1e-6, nodes=1)
    with pytest.raises(errors.BudgetExceededError):
        deepplp.Model(program, cache=False, budget=small).query("q")
    assert torch.equal(deepplp.Model(program, cache=tmp_path, budget=small).query("q").probs, expected)


def test_members_of_other_kinds(kept: Kept, tmp_path: Path) -> None:
    """An archive with one member more, or with members that are cut off, is refused."""
    name, content, _ = kept
    (tmp_path / name).write_bytes(content)
    with zipfile.ZipFile(tmp_path / name, "a") as archive:
        archive.writestr("more.npy", b"x")
    refused(tmp_path, "other members")
    with zipfile.ZipFile(tmp_path / name, "w") as archive, zipfile.ZipFile(io.BytesIO(content)) as source:
        for member in source.namelist():
            archive.writestr(member, source.read(member)[:-1])
    refused(tmp_path, "is damaged")
