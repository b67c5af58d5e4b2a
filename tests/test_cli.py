"""The command line: ProbLog's output for plain programs, and errors that a person can use."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from problog.tasks.probability import execute
from problog.util import format_dictionary

import deepplp

ROOT = Path(__file__).parent.parent


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    command = [sys.executable, "-m", "deepplp", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120, check=False)


PLAIN = """
0.3::a(1). 0.4::a(2).
p(X) :- a(X), X > 5.
b(X, Y) :- a(X), a(Y).
0.2::c; 0.3::d :- a(1).
query(p(3)). query(a(_)). query(b(X, 1)). query(\\+a(1)). query(c). query(d). query(b(X, X)).
evidence(a(2)).
"""


def test_output_is_problogs(tmp_path: Path) -> None:
    """The lines are those that ProbLog prints for the same file."""
    file = tmp_path / "plain.pl"
    file.write_text(PLAIN)
    ours = run("prob", file)
    assert ours.returncode == 0
    assert ours.stderr == ""
    success, theirs = execute(str(file))
    assert success
    assert ours.stdout == format_dictionary(theirs) + "\n"


@pytest.mark.parametrize(
    "options", [["--grounder", "tabled"], ["--grounder", "problog"], ["--grounder", "problog", "--compiler", "sdd"]]
)
def test_every_path_prints_the_same(tmp_path: Path, options: list[str]) -> None:
    """Whoever grounds and compiles: the same lines."""
    file = tmp_path / "plain.pl"
    file.write_text(PLAIN)
    ours = run("prob", *options, file)
    assert (ours.returncode, ours.stderr) == (0, "")
    assert ours.stdout == run("prob", file).stdout


def test_the_tabled_engine_alone_says_what_it_does_not_speak(tmp_path: Path) -> None:
    """A construct that only ProbLog's engine speaks is an error where that engine may not be used."""
    file = tmp_path / "p.pl"
    file.write_text("0.5::a.\nq(L) :- findall(x, a, L).\nquery(q(_)).")
    assert run("prob", file).returncode == 0
    result = run("prob", "--grounder", "tabled", file)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == (
        f"{file}:2:9: the tabled engine cannot ground this: findall/3 is not spoken by the tabled engine\n"
        "    q(L) :- findall(x, a, L).\n            ^\n"
    )
    assert run("prob", "--grounder", "nobody", file).returncode == 2


def test_queries_without_an_answer_print_zero(tmp_path: Path) -> None:
    """A query of which nothing can be proved is printed with probability 0, as ProbLog does."""
    file = tmp_path / "none.pl"
    file.write_text("0.2::b(1). a(X) :- b(X), X > 3. query(a(_)).")
    success, theirs = execute(str(file))
    assert success
    assert run("prob", file).stdout == format_dictionary(theirs) + "\n"


ERRORS = [
    ("a :- b.\nquery(a.", "{file}:2:6: '(' has no partner\n    query(a.\n         ^\n"),
    ("query(a).\na :- b.", "{file}:2:6: no clauses for b/0; the program defines no such predicate\n    a :- b.\n         ^\n"),
    (
        "nn(net, [X]) :: a(X).\nquery(a(i)).",
        "{file}:1:1: nn(net, [X]) needs a network, and is asked without one; load this program in Python with "
        "deepplp.Model(program, networks={{'net': …}})\n    nn(net, [X]) :: a(X).\n    ^\n",
    ),
    (
        ":- use_module(library(db)).\nquery(a).",
        "{file}:1:4: use_module(library(db)) would run Python code; allow it with allow_python=True (--allow-python) if you "
        "trust this program\n    :- use_module(library(db)).\n       ^\n",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), ERRORS, ids=["syntax", "unknown", "network", "python"])
def test_errors(tmp_path: Path, text: str, message: str) -> None:
    """An error is one message on standard error with its place and a caret; the exit status is 1."""
    file = tmp_path / "p.pl"
    file.write_text(text)
    result = run("prob", file)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == message.format(file=file)


def test_missing_file() -> None:
    """A file that is not there is named."""
    result = run("prob", "nowhere.pl")
    assert (result.returncode, result.stderr) == (1, "cannot read nowhere.pl: No such file or directory\n")


def test_allow_python(tmp_path: Path) -> None:
    """With --allow-python a program may load Python."""
    (tmp_path / "twice.py").write_text(
        "from problog.extern import problog_export\n@problog_export('+int', '-int')\ndef twice(x):\n    return 2 * x\n"
    )
    file = tmp_path / "p.pl"
    file.write_text(":- use_module('twice.py').\nquery(a(X)) :- twice(3, X).\na(6).")
    assert run("prob", file).returncode == 1
    assert run("prob", "--allow-python", file).stdout == "a(6):\t1         \n"


def test_a_program_that_asks_nothing(tmp_path: Path) -> None:
    """A program without a query gets a warning."""
    file = tmp_path / "p.pl"
    file.write_text("0.3::a.")
    result = run("prob", file)
    assert (result.returncode, result.stdout) == (0, "")
    assert result.stderr == f"warning: {file} asks nothing: it has no query/1\n"
    file.write_text("0.3::a. query(a) :- 1 > 2.")
    result = run("prob", file)
    assert (result.returncode, result.stdout) == (0, "")
    assert result.stderr == f"warning: {file} asks nothing: no clause of its query/1 gives anything to ask\n"


def test_help_and_version() -> None:
    """--help lists the commands, --version prints the version."""
    assert "prob" in run("--help").stdout
    assert run("--version").stdout == f"deepplp {deepplp.__version__}\n"


@pytest.mark.parametrize(
    ("option", "value", "status"),
    [
        ("--memory", "nan", 1),
        ("--memory", "-inf", 1),
        ("--memory", "0", 1),
        ("--memory", "inf", 0),
        ("--memory", "1e300", 0),
        ("--seconds", "nan", 1),
        ("--seconds", "inf", 0),
    ],
)
def test_budgets_that_are_no_numbers(tmp_path: Path, option: str, value: str, status: int) -> None:
    """Infinity is no limit, and what is no limit is one line on standard error."""
    file = tmp_path / "p.pl"
    file.write_text("0.3::a. query(a).")
    ended = run("prob", option, value, file)
    assert ended.returncode == status
    assert len((ended.stdout if status == 0 else ended.stderr).splitlines()) == 1
    assert ("must be a number above 0" in ended.stderr) == (status == 1)
