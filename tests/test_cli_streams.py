"""The command line on files that are none, and on streams that are closed, full or of another encoding."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from deepplp.errors import Position

DIGITS = "9" * 100_000


def shell(line: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run a line of the shell in a folder, in which ``deepplp`` is the command line."""
    command = f'deepplp() {{ {shlex.quote(sys.executable)} -m deepplp "$@"; }}; {line}'
    around = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent.parent), *sys.path]),
        **environment,
    }
    return subprocess.run(
        ["bash", "-c", command], cwd=folder, env=around, capture_output=True, timeout=120, check=False
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a program that is well and one that is not."""
    (tmp_path / "ok.pl").write_text("0.25::a. query(a).")
    (tmp_path / "bad.pl").write_text("a :- b c. query(a).")
    (tmp_path / "asks_nothing.pl").write_text("0.25::a.")
    return tmp_path


FILES: dict[str, tuple[bytes, str]] = {
    "a long integer": (f"a({DIGITS}). query(a(X)).".encode(), "p.pl:1:3: an integer has at most 4,300 digits"),
    "one in arithmetic": (f"a(X) :- X is {DIGITS}. query(a(X)).".encode(), "p.pl:1:14: an integer has at most"),
    "one as probability": (f"{DIGITS}::a. query(a).".encode(), "p.pl:1:1: an integer has at most"),
    "a power": (b"10**400::a. query(a).", "the probability inf of a is not between 0 and 1"),
    "a negative one": (b"-10**401::a. query(a).", "the probability -inf of a is not between 0 and 1"),
    "one in a disjunction": (b"0.5::a; 10**400::b. query(a).", "the probability inf of b is not between 0 and 1"),
    "one to be learnt": (b"t(10**400)::a. query(a).", "t(10**400) starts at inf, where it could not be learnt"),
    "latin-1": ("0.25::café. query(café).".encode("latin-1"), "p.pl:1:10: byte 0xe9 is no UTF-8 text"),
    "bytes": (bytes(range(255, 0, -1)), "p.pl:1:1: byte 0xff is no UTF-8 text"),
}


@pytest.mark.parametrize("command", ["prob", "check"])
@pytest.mark.parametrize("case", FILES)
def test_files_that_are_no_programs(folder: Path, case: str, command: str) -> None:
    """Each is one message, as short as a screen, and an exit status of 1."""
    content, said = FILES[case]
    (folder / "p.pl").write_bytes(content)
    done = shell(f"deepplp {command} p.pl", folder)
    output = (done.stderr + done.stdout).decode()
    assert done.returncode == 1
    assert said in output.replace("error: ", "")
    assert "Traceback" not in output
    assert max(map(len, output.splitlines())) < 200
    if command == "prob":
        assert done.stdout == b""
        assert len(output.splitlines()) == 3  # the message, the line and the caret


def test_a_probability_that_a_body_computes(folder: Path) -> None:
    """It is known when the program runs, and no float."""
    (folder / "p.pl").write_text("X::a :- X is 10**400. query(a).")
    done = shell("deepplp prob p.pl", folder)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(b"p.pl:1:4: the probability inf of a is not between 0 and 1\n")


@pytest.mark.parametrize("command", ["prob", "check"])
@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/dev/zero", "cannot read /dev/zero: it has more than 128 MiB"),
        ("folder", "cannot read folder: Is a directory"),
        ("missing.pl", "cannot read missing.pl: No such file or directory"),
        ("- < /dev/zero", "cannot read <stdin>: it has more than 128 MiB"),
        ("- <&-", "cannot read standard input: it is closed"),
    ],
)
def test_what_is_no_file(folder: Path, path: str, said: str, command: str) -> None:
    """One line, and an exit status of 1."""
    (folder / "folder").mkdir()
    done = shell(f"deepplp {command} {path}", folder)
    assert (done.returncode, done.stdout, done.stderr.decode()) == (1, b"", said + "\n")


def test_a_file_that_may_not_be_read(folder: Path) -> None:
    """The message is the system's."""
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    (folder / "ok.pl").chmod(0)
    done = shell("deepplp prob ok.pl", folder)
    assert (done.returncode, done.stderr) == (1, b"cannot read ok.pl: Permission denied\n")


@pytest.mark.parametrize("way", ["- < ok.pl", "<(cat ok.pl)", "/dev/stdin < ok.pl", "crlf.pl", "named"])
def test_programs_that_come_otherwise(folder: Path, way: str) -> None:
    """Standard input, pipes with and without a name, and files of other systems hold programs as well."""
    (folder / "crlf.pl").write_bytes(b"\xef\xbb\xbf0.25::a.\r\nquery(a).\r\n")
    os.mkfifo(folder / "named")
    feeding = "(sleep 0.3; cat ok.pl > named) & " if way == "named" else ""
    done = shell(f"{feeding}deepplp prob {way}", folder)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"a:\t0.25      \n", b"")


@pytest.mark.parametrize("arguments", ["prob ok.pl", "check ok.pl", "check bad.pl", "--version", "--help"])
def test_output_that_cannot_be_written(folder: Path, arguments: str) -> None:
    """A full disk and a closed stream are one line each, and no success; who closes a pipe knows."""
    full = shell(f"deepplp {arguments} > /dev/full", folder)
    assert (full.returncode, full.stdout) == (1, b"")
    assert full.stderr == b"cannot write to standard output: No space left on device\n"
    closed = shell(f"deepplp {arguments} >&-", folder)
    assert (closed.returncode, closed.stderr) == (1, b"cannot write to standard output: it is closed\n")


def test_a_reader_that_leaves(folder: Path) -> None:
    """Nothing is said to a pipe that is closed, nor about it."""
    done = shell("(sleep 0.1; deepplp prob ok.pl) | true", folder)
    assert done.stderr == b""


@pytest.mark.parametrize("to", ["2>&-", "2>/dev/full"])
def test_errors_that_cannot_be_written(folder: Path, to: str) -> None:
    """The exit status is that of the error; a warning that nobody sees is no error."""
    assert shell(f"deepplp prob bad.pl {to}", folder).returncode == 1
    assert shell(f"deepplp prob asks_nothing.pl {to}", folder).returncode == 0
    done = shell(f"deepplp prob ok.pl {to}", folder)
    assert (done.returncode, done.stdout) == (0, b"a:\t0.25      \n")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_a_terminal_of_another_encoding(folder: Path, encoding: str) -> None:
    """What it cannot show is written by its number, in answers and in errors."""
    (folder / "p.pl").write_text("0.25::'λ'. query('λ').", encoding="utf-8")
    done = shell("deepplp prob p.pl", folder, PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.strip() in ("λ:\t0.25".encode(), b"\\u03bb:\t0.25")
    (folder / "p.pl").write_text("'λ' :- b c.", encoding="utf-8")
    done = shell("deepplp prob p.pl", folder, PYTHONIOENCODING=encoding)
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    assert done.stderr.startswith(b"p.pl:1:10: expected an operator")


def test_the_caret_of_a_long_line() -> None:
    """Of a long line stands what surrounds the column, and the caret below it."""
    line = "".join(chr(ord("a") + i % 26) for i in range(1000))
    for column in (1, 2, 80, 81, 500, 919, 999, 1000, 1001):
        shown, caret = Position("p.pl", 1, column, line).caret().splitlines()
        assert len(shown) <= 4 + 162
        assert shown[len(caret) - 1 : len(caret)] == line[column - 1 : column]
    assert Position("p.pl", 1, 3, line[:160]).caret() == f"    {line[:160]}\n      ^"
