"""What users install: the wheel, away from this checkout; and what type checkers see of an editable install."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LIBRARY = Path("lib", f"python{sys.version_info.major}.{sys.version_info.minor}", "site-packages")
EDITABLE = "import sys; from setuptools import build_meta; build_meta.build_editable(sys.argv[1])"
IMPORTED = """
import runpy, sys
import deepplp
print(deepplp.__file__)
print(deepplp.__version__)
print(deepplp.Model(deepplp.Program.from_string("0.3::a. 0.5::b. c :- a, b.")).query("c").probs.item())
sys.argv[1:] = ["prob", "coins.pl"]
runpy.run_module("deepplp", run_name="__main__", alter_sys=True)
"""


def run(*command: str | Path, folder: Path) -> str:
    """What a command prints, run in a folder, where nothing leads back to this checkout."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        list(map(str, command)), cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def pip(*arguments: str | Path, folder: Path) -> None:
    """Run pip without a network."""
    run(sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments, folder=folder)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this checkout, without what other commands left in it."""
    made = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "dist", "runs")
    return Path(shutil.copytree(ROOT, tmp_path_factory.mktemp("tree") / "deepplp", ignore=made))


@pytest.fixture(scope="module")
def wheel(tree: Path) -> Path:
    """The wheel of this checkout."""
    pip("wheel", "--no-index", "--no-deps", "--no-build-isolation", "--wheel-dir=dist", ".", folder=tree)
    (built,) = (tree / "dist").iterdir()
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that has the wheel, and sees the packages that it needs where this interpreter has them."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, symlinks=True)
    needed = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
    (folder / LIBRARY / "needed.pth").write_text("\n".join(needed) + "\n")
    python = folder / "bin" / "python"
    pip(f"--python={python}", "install", "--no-index", "--no-deps", "--ignore-installed", wheel, folder=folder)
    return folder


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    """All modules and the mark of typed packages are in the wheel; tests, experiments and programs are not."""
    with zipfile.ZipFile(wheel) as file:
        names = {name for name in file.namelist() if ".dist-info/" not in name}
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "deepplp").rglob("*.py")}
    assert names == modules | {"deepplp/py.typed"}


def test_the_wheel_works(installed: Path, tmp_path: Path) -> None:
    """The script runs a program; the installed package is what is imported, answers a query, and runs as a module."""
    (tmp_path / "coins.pl").write_text("0.3::a. 0.5::b. c :- a, b. query(c).\n")
    binaries = installed / "bin"
    output = run(binaries / "deepplp", "prob", "coins.pl", folder=tmp_path)
    assert output.split() == ["c:", "0.15"]
    file, version, probability, *lines = run(binaries / "python", "-c", IMPORTED, folder=tmp_path).splitlines()
    assert Path(file) == installed / LIBRARY / "deepplp" / "__init__.py"
    assert list((installed / LIBRARY).glob("deepplp-*")) == [installed / LIBRARY / f"deepplp-{version}.dist-info"]
    assert float(probability) == pytest.approx(0.15)
    assert lines == output.splitlines()


def test_type_checkers_see_an_editable_install(tree: Path, tmp_path: Path) -> None:
    """An editable install is a path that type checkers follow, not a hook that only a running interpreter sees."""
    run(sys.executable, "-c", EDITABLE, tmp_path, folder=tree)
    (editable,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(editable) as file:
        (name,) = (n for n in file.namelist() if ".dist-info/" not in n)
        assert name.endswith(".pth")
        assert file.read(name).decode().splitlines() == [str(tree)]
    assert (tree / "deepplp" / "py.typed").exists()
