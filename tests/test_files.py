"""Files that a program reads, at any time: their paths, what they may be, and that a changed one is read anew."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import deepplp
from deepplp import errors
from deepplp.program import read_text


@pytest.fixture(autouse=True)
def _everything_is_worth_keeping(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deepplp.queries.workshop._WORTH_KEEPING", 0.0)


def write(folder: Path, **files: str) -> None:
    """Write files whose names end in .pl."""
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.pl"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)


MODULE = ":- module(facts, [p/0]).\n"
READERS = {
    "a body that consults": ("q :- consult('facts.pl'), p.", ""),
    "without its ending": ("q :- consult(facts), p.", ""),
    "as a text": ('q :- consult("facts.pl"), p.', ""),
    "a list in a body": ("q :- ['facts.pl'], p.", ""),
    "by a variable": ("file('facts.pl'). q :- file(F), consult(F), p.", ""),
    "by call/1": ("q :- call(consult('facts.pl')), p.", ""),
    "within findall": ("q :- findall(1, (consult('facts.pl'), p), [_]).", ""),
    "a query's own body": ("query(q) :- consult('facts.pl'). q :- consult('facts.pl'), p.", ""),
    "a directive": (":- consult('facts.pl'). q :- p.", ""),
    "a list as directive": (":- ['facts.pl']. q :- p.", ""),
    "a module": (":- use_module('facts.pl'). q :- p.", MODULE),
    "a part of a module": (":- use_module('facts.pl', [p/0]). q :- p.", MODULE),
    "a module in a body": ("q :- use_module('facts.pl'), p.", MODULE),
}


@pytest.mark.parametrize(("text", "head"), READERS.values(), ids=READERS)
def test_a_changed_file_is_read_anew(tmp_path: Path, text: str, head: str) -> None:
    """Whoever reads a file, and whenever: a model made afterwards gives the answer of its new content."""
    for p in (0.25, 0.75, 0.5):
        write(tmp_path, main=text, facts=f"{head}{p}::p.")
        for _ in range(2):
            model = deepplp.Model(tmp_path / "main.pl", cache=tmp_path / "cache")
            assert float(model.query("q").probs) == p
            assert float(model.query("q").probs) == p


@pytest.mark.parametrize(("text", "head"), [v for k, v in READERS.items() if "directive" not in k])
def test_a_model_sees_a_changed_file(tmp_path: Path, text: str, head: str) -> None:
    """So does a model that has answered before; what its program's text consists of stays as it was read."""
    write(tmp_path, main=text, facts=f"{head}0.25::p.")
    model = deepplp.Model(tmp_path / "main.pl", cache=False)
    assert float(model.query("q").probs) == 0.25
    write(tmp_path, facts=f"{head}0.75::p. % longer")
    assert float(model.query("q").probs) == 0.75
    assert float(model.query("q").probs) == 0.75
    assert model.cache_info().memory == 1


def test_files_of_files(tmp_path: Path) -> None:
    """A file that a consulted file consults, in a folder of its own, counts as well."""
    write(
        tmp_path,
        main="q :- consult('sub/inner'), p.",
        sub__inner="p :- consult('deep.pl'), deep.",
        sub__deep="0.5::deep.",
    )
    model = deepplp.Model(tmp_path / "main.pl", cache=tmp_path / "cache")
    assert float(model.query("q").probs) == 0.5
    write(tmp_path, sub__deep="0.125::deep.")
    assert float(model.query("q").probs) == 0.125
    assert float(deepplp.Model(tmp_path / "main.pl", cache=tmp_path / "cache").query("q").probs) == 0.125


@pytest.mark.parametrize("text", ["q :- consult('f.pl'), p.", ":- consult('f.pl'). q :- p."])
def test_directives_of_a_loaded_file_are_carried_out(tmp_path: Path, text: str) -> None:
    """Whoever loads it, and its declarations hold."""
    directives = ":- dynamic never/1. :- consult('sub/g.pl'). :- use_module(library(lists)). "
    write(tmp_path, main=text, f=directives + "p :- member(X, [1, 2]), deep(X), \\+ never(X).", sub__g="0.5::deep(2).")
    assert float(deepplp.Model(tmp_path / "main.pl", cache=False).query("q").probs) == 0.5


def test_files_that_python_reads(tmp_path: Path) -> None:
    """Python modules and tables, too."""
    (tmp_path / "table.csv").write_text("n\n1\n2\n")
    (tmp_path / "code.py").write_text(
        "from problog.extern import problog_export\n@problog_export('+int', '-int')\ndef f(x):\n    return 2 * x\n"
    )
    directives = ":- use_module(library(db)). :- use_module('code.py'). :- csv_load('table.csv', t)."
    write(tmp_path, main=f"{directives} q(Y) :- t(X), f(X, Y).")
    model = deepplp.Model(tmp_path / "main.pl", allow_python=True)
    assert model.query("q(Y)").terms == ("q(2)", "q(4)")
    (tmp_path / "table.csv").write_text("n\n1\n2\n3\n")
    assert model.query("q(Y)").terms == ("q(2)", "q(4)", "q(6)")
    code = (tmp_path / "code.py").read_text().replace("2 * x", "10 * x")
    (tmp_path / "code.py").write_text(code)
    os.utime(tmp_path / "code.py", (1, 1))  # Python's own cache goes by the second
    assert model.query("q(Y)").terms == ("q(10)", "q(20)", "q(30)")


def test_prepared_in_another_process(tmp_path: Path) -> None:
    """What was compiled ahead knows its files, wherever that was."""
    write(tmp_path, main="q(X) :- consult('facts.pl'), p(X).", facts="0.25::p(1). 0.5::p(2).")
    model = deepplp.Model(tmp_path / "main.pl", cache=tmp_path / "cache")
    asked = [deepplp.Query("q(1)"), deepplp.Query("q(2)")]
    model.prepare(asked, jobs=2)
    write(tmp_path, facts="0.125::p(1). 0.75::p(2).")
    assert [float(a.probs) for a in model.query_many(asked)] == [0.125, 0.75]


def test_a_module_may_look_into_names(tmp_path: Path) -> None:
    """A file that is loaded may compare what the program itself does not: names of inputs are no tokens then."""
    for text, other in (
        (":- use_module('m.pl').", ":- module(m, [late/1]). late(X) :- X @> k."),
        ("late(X) :- consult('m.pl'), l(X).", "l(X) :- X @> k."),
    ):
        write(tmp_path, main=f"nn(net, [X]) :: p(X). q(X) :- late(X), p(X). {text}", m=other)
        model = deepplp.Model(tmp_path / "main.pl", {"net": lambda x: x}, cache=False)
        for name, expected in (("z", 0.5), ("a", 0.0)):
            assert float(model.query(f"q({name})", {name: torch.tensor([0.5])}).probs) == expected


PATHS: dict[str, str] = {
    "directive": ":- consult('sub/f.pl').",
    "directive without ending": ":- consult('sub/f').",
    "list": ":- ['sub/f'].",
    "body": "p(X) :- consult('sub/f.pl'), r(X). query(p(_)).",
    "body without ending": "p(X) :- consult('sub/f'), r(X). query(p(_)).",
    "list in a body": "p(X) :- ['sub/f'], r(X). query(p(_)).",
    "module": ":- use_module('sub/f').",
}


@pytest.mark.parametrize("text", PATHS.values(), ids=PATHS)
def test_a_path_begins_in_the_file_that_names_it(tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """For files, texts, consulted files and facts of a query, by directives and bodies alike."""
    (tmp_path / "home" / "sub").mkdir(parents=True)
    (tmp_path / "away").mkdir()
    (tmp_path / "home" / "sub" / "f.pl").write_text(":- module(f, [r/1]). r(1)." if "use_m" in text else "r(1).")
    (tmp_path / "home" / "sub" / "f").mkdir()  # a folder is no file
    text = f"{text}\nq(X) :- {'p' if 'p(X)' in text else 'r'}(X)."
    (tmp_path / "home" / "main.pl").write_text(text)
    (tmp_path / "outer.pl").write_text(":- consult('home/main.pl').")
    monkeypatch.chdir(tmp_path / "away")
    for path in (tmp_path / "home" / "main.pl", Path("../home/main.pl"), Path("../outer.pl")):
        assert deepplp.Model(path, cache=False).query("q(X)").terms == ("q(1)",)
    if ":- use_module" not in text:  # facts come after directives have been carried out
        (tmp_path / "home" / "empty.pl").write_text("z.")
        model = deepplp.Model("../home/empty.pl", cache=False)
        assert model.query("q(X)", facts=text).terms == ("q(1)",)
    monkeypatch.chdir(tmp_path / "home")
    program = deepplp.Program.from_string(text, "/elsewhere/p.pl")
    assert deepplp.Model(program, cache=False).query("q(X)").terms == ("q(1)",)


CONSULTS: dict[str, Callable[[str], str]] = {
    "directive": lambda f: f":- consult('{f}').\nq.",
    "body": lambda f: f"q :- consult('{f}').",
    "list": lambda f: f"q :- ['{f}'].",
    "module": lambda f: f":- use_module('{f}').\nq.",
}
NO_PROGRAMS: dict[str, tuple[bytes, type[errors.DeepPLPError], str]] = {
    "prose": (b"hello world, this is prose", errors.ProgramSyntaxError, r"notes\.txt:1:1: this statement does not end"),
    "a mistake": (
        b"a.\nb :- c, .\n",
        errors.ProgramSyntaxError,
        r"notes\.txt:2:7: nothing stands between ',' and the full stop",
    ),
    "bytes": (b"a(\xff\xfe).", errors.ProgramFileError, r"notes\.txt:1:3: byte 0xff is no UTF-8 text"),
}


@pytest.mark.parametrize("content", NO_PROGRAMS)
@pytest.mark.parametrize("consult", CONSULTS)
def test_what_is_no_program(tmp_path: Path, consult: str, content: str) -> None:
    """Text that is no program is an error of that file, with its line; what is no text is one of the call."""
    data, kind, said = NO_PROGRAMS[content]
    (tmp_path / "notes.txt").write_bytes(data)
    write(tmp_path, main=CONSULTS[consult]("notes.txt"))
    with pytest.raises(kind, match=said):
        deepplp.Model(tmp_path / "main.pl", cache=False).query("q")


@pytest.mark.parametrize("consult", CONSULTS)
def test_what_cannot_be_read(tmp_path: Path, consult: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder, a file that is not there, and one that is too large are errors with the place of the call."""
    monkeypatch.setattr("deepplp.program.files._MOST_BYTES", 1 << 10)
    (tmp_path / "folder").mkdir()
    (tmp_path / "large.pl").write_text("a." * 1000)
    write(tmp_path)
    for name in ("folder", "missing.pl", "large.pl"):
        write(tmp_path, main=CONSULTS[consult](name))
        with pytest.raises(errors.ProgramFileError, match=r"main\.pl:1:\d+: cannot read"):
            deepplp.Model(tmp_path / "main.pl", cache=False).query("q")


def test_a_byte_order_mark_and_line_ends(tmp_path: Path) -> None:
    """A mark in front and the line ends of other systems are no part of any file's text, so that places are right."""
    content = b"\xef\xbb\xbfp :- \r\n  r(1).\r\nr(X) :- X < a.\r\n"
    (tmp_path / "f.pl").write_bytes(content)
    for text in (":- consult('f.pl').\nq :- p.", "q :- consult('f.pl'), p.", ":- use_module('f.pl'). q :- p."):
        write(tmp_path, main=text)
        if "use_module" in text:
            (tmp_path / "f.pl").write_bytes(content.replace(b"p :-", b":- module(f, [p/0]).\r\np :-"))
        with pytest.raises(errors.GroundingError, match=r"f\.pl:\d:\d+: ") as caught:
            deepplp.Model(tmp_path / "main.pl", cache=False).query("q")
        place = caught.value.position
        assert place is not None
        assert place.line == (4 if "use_module" in text else 3)
        assert place.source_line == "r(X) :- X < a."


def test_pipes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe is read to its end, however late its writer comes; one that nobody writes to is an error, not a wait."""
    os.mkfifo(tmp_path / "pipe.pl")

    def later() -> None:
        with open(tmp_path / "pipe.pl", "w") as pipe:
            pipe.write("0.25::a. " * 20_000)
            pipe.flush()
            pipe.write("b :- a.")

    writer = threading.Timer(0.2, later)
    writer.start()
    text = read_text(tmp_path / "pipe.pl", "pipe.pl").content
    writer.join()
    assert text == "0.25::a. " * 20_000 + "b :- a."
    monkeypatch.setattr("deepplp.program.files._PATIENCE", 50)
    with pytest.raises(errors.ProgramFileError, match="nobody writes to this pipe"):
        deepplp.Program.from_file(tmp_path / "pipe.pl")
