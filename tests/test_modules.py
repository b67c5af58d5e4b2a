"""Files that a program reads, in whichever way: what is wrong in one has its place in that file."""

from __future__ import annotations

from pathlib import Path

import pytest
from problog.extern import problog_export

import deepplp
from deepplp import errors

READING = {
    "a directive": ":- consult('b.pl').\nq(X) :- b(X).\nquery(q(_)).\n",
    "a list": ":- ['b'].\nq(X) :- b(X).\nquery(q(_)).\n",
    "a module": ":- use_module('b.pl').\nq(X) :- b(X).\nquery(q(_)).\n",
    "a body": "q(X) :- consult('b.pl'), b(X).\nquery(q(_)).\n",
    "a body's module": "q(X) :- use_module('b.pl'), b(X).\nquery(q(_)).\n",
}
FAULTS = [
    ("b(1).\nb(2) :- c d.\n", "2:11: expected an operator"),
    ("b(1).\nb(2) :- c(.\n", "2:10: '(' has no partner"),
    ("b(1).\nc(2)", "2:1: this statement does not end"),
    ("b(1).\nb(2) :- 0.5::c.\n", "2:9: a probability stands before a head"),
    ("b(1).\n  0..9.\n", "2:3: a range such as 0..9"),
    ("b(1).\n0.3:b(2).\n", "2:1: 0.3:b(2) is a fact about ':'"),
    ("c.\n?::b(1).\n", "2:1: ?::b(1) is a decision"),
    ("c.\n0.3::b(1); b(2).\n", "2:1: b(2) has no probability"),
    ("b(1).\ntrue :- b(1).\n", "2:1: can not overwrite built-in 'true/0'; give the predicate another name"),
    ("b(1).\nb(X) :- c(X), !.\nc(2).\n", "2:15: the cut !"),
    ("c(2).\nb(X) :- (c(X) -> X = 1 ; X = 2).\n", "2:15: ProbLog has no if-then-else"),
    ("b(1).\n\nb(X) :- missing(X).\n", "3:9: no clauses for missing/1"),
    ("0.3::z(X).\nb(1) :- z(Y).\n", "1:6: the probabilistic clause for z/1"),
    ("\n1.5::b(1).\n", "2:6: the probability 1.5 of b(1)"),
    ("\n0.7::b(1); 0.8::b(2).\n", "2:6: the probabilities of this annotated disjunction sum to 1.5"),
    ("\nb(X) :- X = 1, \\+b(X).\n", "2:16: this negation is part of a cycle"),
    ("\nb(1) :- X = f(X).\n", "2:11: this unification would make an infinite term"),
    ("b(1).\n:- missing(3).\n", "2:4: no clauses for missing/1"),
    ("b(1).\n:- use_module(library(db)).\n", "2:4: use_module(library(db)) would run Python code"),
    ("b(1).\n:- use_module('nowhere.pl').\n", "2:4: cannot read 'nowhere.pl'"),
]


def read(tmp_path: Path, main: str, other: str | bytes) -> deepplp.Answers:
    """The answers of a program that reads another file, b.pl, which lies beside it."""
    (tmp_path / "main.pl").write_text(main)
    (tmp_path / "b.pl").write_bytes(other if isinstance(other, bytes) else other.encode())
    return deepplp.Model(tmp_path / "main.pl", cache=False).query()


@pytest.mark.parametrize("how", READING)
@pytest.mark.parametrize(("other", "message"), FAULTS, ids=[m for _, m in FAULTS])
def test_faults(tmp_path: Path, how: str, other: str, message: str) -> None:
    """The place is that of the fault in the file, however the file is read, and the line is shown."""
    with pytest.raises(errors.DeepPLPError) as caught:
        read(tmp_path, READING[how], other)
    assert str(caught.value).startswith(f"{tmp_path / 'b.pl'}:{message}")
    line = int(message.split(":")[0])
    assert f"\n    {other.splitlines()[line - 1]}\n" in str(caught.value)


@pytest.mark.parametrize("how", READING)
def test_a_file_that_is_no_utf8_text(tmp_path: Path, how: str) -> None:
    """The place is that of the first byte that is none."""
    with pytest.raises(errors.ProgramFileError) as caught:
        read(tmp_path, READING[how], "b(1).\r\n% é caf".encode() + b"\xe9\r\n")
    assert str(caught.value) == (
        f"{tmp_path / 'b.pl'}:2:8: byte 0xe9 is no UTF-8 text; save the file in UTF-8\n    % é caf\ufffd\n           ^"
    )


@pytest.mark.parametrize("how", READING)
def test_files_are_read_alike(tmp_path: Path, how: str) -> None:
    """A file may have Windows' marks and line ends, ranges, declarations, libraries and variables of findall's own."""
    other = (
        "\ufeff:- use_module(library(lists)).\r\n:- dynamic no/1.\r\n"
        "b(X) :- member(X, [1, 2]), \\+no(X), c(X).\r\n0.5::c(1) :- forall(d(X), X > 0).\r\nd(1).\r\n0.5::c(2).\r\n"
    )
    assert read(tmp_path, READING[how], other).to_dict() == {"q(1)": 0.5, "q(2)": 0.5}


@pytest.mark.parametrize("how", ["a module", "a body"])
@pytest.mark.parametrize("fault", ["nn(net, [X]) :: b(X).", "t(0.3)::b(1)."])
def test_what_a_file_read_later_cannot_hold(tmp_path: Path, how: str, fault: str) -> None:
    """Networks and parameters are known before a program is loaded."""
    with pytest.raises(errors.UnsupportedConstructError, match=r"b\.pl:2:1: .* read it by a directive of its own"):
        read(tmp_path, READING[how], f"b(1).\n{fault}\n")


@pytest.mark.parametrize("fault", ["query(b(1)).", "evidence(b(1)).", "evidence(b(1), true) :- b(1)."])
def test_questions_that_come_too_late(tmp_path: Path, fault: str) -> None:
    """A file that a goal reads asks and observes nothing."""
    with pytest.raises(errors.UnsupportedConstructError, match=r"b\.pl:2:1: queries and evidence come too late"):
        read(tmp_path, READING["a body"], f"b(1).\n{fault}\n")


def test_modules_keep_what_they_do_not_export(tmp_path: Path) -> None:
    """A module's own predicates are no one else's, declared ones among them."""
    other = ":- module(b, [b/1]).\n:- dynamic c/1.\nb(X) :- d(X), \\+c(X).\nd(1). d(2).\n"
    main = ":- use_module('b.pl').\nc(1). d(3).\nquery(b(_)).\n"
    assert read(tmp_path, main, other).terms == ("b(1)", "b(2)")


def test_check_knows_of_files_that_a_goal_reads(tmp_path: Path) -> None:
    """What such a file may define is not reported; a predicate that ProbLog lacks is."""
    (tmp_path / "b.pl").write_text("b(1).\n")
    (tmp_path / "main.pl").write_text("q(X) :- consult('b.pl'), b(X).\nquery(q(_)).\n")
    assert deepplp.check_file(tmp_path / "main.pl").findings == ()
    (tmp_path / "main.pl").write_text("q(L) :- consult('b.pl'), bagof(X, b(X), L).\nquery(q(_)).\n")
    assert [f.message.split(";")[0] for f in deepplp.check_file(tmp_path / "main.pl").findings] == [
        "ProbLog has no bagof/3"
    ]


def test_answers_from_before_a_file_was_read_are_forgotten(tmp_path: Path) -> None:
    """What a goal consults counts for the goals after it, also those that were answered before."""
    main = "b(1).\nall(L) :- findall(X, b(X), L).\nq(L, M) :- all(L), consult('b.pl'), all(M).\nquery(q(_, _)).\n"
    assert read(tmp_path, main, "b(2).\n").terms == ("q([1],[1, 2])",)


def test_a_python_file_leaves_nothing_behind_in_problog(tmp_path: Path) -> None:
    """ProbLog's decorators know the data base of a program while its file is run, and not after it."""
    (tmp_path / "b.py").write_text(
        "from problog.extern import problog_export\n\n\n@problog_export('-int')\ndef b():\n    return 1\n"
    )
    (tmp_path / "main.pl").write_text(":- use_module('b.py').\nquery(b(_)).\n")
    before = problog_export.database
    answers = deepplp.Model(tmp_path / "main.pl", cache=False, allow_python=True).query()
    assert answers.terms == ("b(1)",)
    assert problog_export.database is before


def test_a_missing_file_of_a_list_has_its_place(tmp_path: Path) -> None:
    """A list of files has no place of its own; each of its files has."""
    with pytest.raises(errors.ProgramFileError, match=r"main\.pl:2:15: cannot read 'nowhere\.pl'"):
        read(tmp_path, "b(0).\nq :- ['b.pl', 'nowhere.pl'].\nquery(q).\n", "b(1).\n")
