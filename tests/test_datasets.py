"""Data sets are found where ``DEEPPLP_DATA`` says; experiments and tests name what is not there, in one line."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from experiments import clutrr
from experiments.benchmarks import __main__ as benchmarks
from experiments.benchmarks.cases import NETWORKS, cases, quick_cases
from experiments.benchmarks.networks import load_network
from experiments.data import load_digits
from experiments.datasets import data_folder, data_root, find_data, missing_data
from tests.datasets import needs

ROOT = Path(__file__).parent.parent
UNSET = "DEEPPLP_DATA is not set: set DEEPPLP_DATA to the folder that holds the data set 'bif'"


@pytest.fixture(params=[None, ""], ids=["unset", "empty"])
def no_data(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """``DEEPPLP_DATA`` is unset, or empty."""
    monkeypatch.delenv("DEEPPLP_DATA", raising=False)
    if request.param is not None:
        monkeypatch.setenv("DEEPPLP_DATA", request.param)


@pytest.mark.usefixtures("no_data")
def test_an_empty_value_is_no_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unset and empty are the same, also where the working folder holds the data: nothing is found."""
    (tmp_path / "bif").mkdir()
    monkeypatch.chdir(tmp_path)
    assert data_root() is None
    assert find_data("bif") is None
    assert missing_data("bif") == UNSET
    with pytest.raises(SystemExit) as caught:
        load_network("asia")
    assert caught.value.code == UNSET


@pytest.mark.usefixtures("no_data")
def test_tests_without_data_are_skipped() -> None:
    """The reason of the skip names the data set and the variable."""
    mark = needs("bif").mark
    assert (mark.args, mark.kwargs) == ((True,), {"reason": UNSET})


@pytest.mark.usefixtures("no_data")
def test_benchmarks_without_data(capsys: pytest.CaptureFixture[str]) -> None:
    """Without data there are no cases of Bayesian networks, and one line says why."""
    assert {c.name for c in cases()}.isdisjoint(NETWORKS)
    assert capsys.readouterr().err == f"notice: no Bayesian networks ({UNSET})\n"
    assert set(quick_cases()).isdisjoint(NETWORKS)


def test_a_folder_that_lacks_a_data_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is there is found, tests of the rest are skipped, experiments that need the rest end; one line names it."""
    (tmp_path / "forth" / "add").mkdir(parents=True)
    monkeypatch.setenv("DEEPPLP_DATA", str(tmp_path))
    assert data_folder("forth/add") == find_data("forth/add") == tmp_path / "forth" / "add"
    assert needs("forth/add").mark.args == (False,)
    line = f"{tmp_path} has no folder bif: set DEEPPLP_DATA to the folder that holds the data set 'bif'"
    mark = needs("forth/add", "bif").mark
    assert (mark.args, mark.kwargs) == ((True,), {"reason": line})
    name = f"clutrr/{clutrr.SPLIT}"
    line = f"{tmp_path} has no folder {name}: set DEEPPLP_DATA to the folder that holds the data set '{name}'"
    with pytest.raises(SystemExit) as caught:
        clutrr.main(output=tmp_path / "run")
    assert caught.value.code == line


def test_a_folder_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A value that names no folder ends everything that asks for data; nothing takes the data's place."""
    monkeypatch.setenv("DEEPPLP_DATA", str(tmp_path / "nowhere"))
    line = f"DEEPPLP_DATA names {tmp_path / 'nowhere'}, which is no folder"
    for ask in (data_root, quick_cases, load_digits, lambda: find_data("bif"), lambda: needs("bif"), benchmarks.main):
        with pytest.raises(SystemExit) as caught:
            ask()
        assert caught.value.code == line


@pytest.mark.parametrize(
    ("command", "status", "prefix"),
    [
        (["pytest", "--collect-only", "tests/test_datasets.py"], pytest.ExitCode.USAGE_ERROR, "ERROR: "),
        (["experiments.mnist_sums", "any"], 1, ""),
    ],
    ids=["tests", "experiment"],
)
def test_a_folder_that_is_not_there_is_one_line(tmp_path: Path, command: list[str], status: int, prefix: str) -> None:
    """Test runs and experiments print that line on standard error, and nothing else."""
    done = subprocess.run(
        [sys.executable, "-m", *command],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=300,
        check=False,
        env={**os.environ, "DEEPPLP_DATA": str(tmp_path / "nowhere")},
    )
    assert done.returncode == status
    assert done.stderr.strip() == f"{prefix}DEEPPLP_DATA names {tmp_path / 'nowhere'}, which is no folder"


def test_one_module_reads_the_variable() -> None:
    """Experiments and tests ask `data_root`, so that all of them mean the same by the variable's values."""
    reads = re.compile(r"environ\W+(get\W+|in\W+)?DEEPPLP_DATA|DEEPPLP_DATA\W+(not )?in\W+os|getenv\W+DEEPPLP_DATA")
    files = [f for folder in ("experiments", "tests") for f in (ROOT / folder).rglob("*.py") if f != Path(__file__)]
    assert not [str(f) for f in files if reads.search(f.read_text())]
