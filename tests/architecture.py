"""Which part of the library may import which: contracts for import-linter, derived from the folders.

    python -m tests.architecture

Two tables say what no folder can: which rooms a room may import, and who may import a library that not all need. A
room is a module or a package right below ``deepplp``. All else is read off the folders, so that no new file stands
outside of the contracts, and a new room fails them until it has its place in the table.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from graphlib import TopologicalSorter
from pathlib import Path

from importlinter.cli import lint_imports

__all__ = ["ARROWS", "LIBRARIES", "check", "contracts", "packages", "rooms", "unplaced"]

ROOT = Path(__file__).parent.parent / "deepplp"

ARROWS: Mapping[str, str] = {
    "errors": "",
    "lazy": "",
    "version": "",
    "collector": "",
    "limits": "errors",
    "locks": "",
    "progress": "",
    "watch": "progress",
    "apart": "watch",
    "program": "errors",
    "formula": "errors program",
    "grounding": "apart collector errors formula limits program watch",
    "circuit": "errors",
    "compilation": "apart circuit collector errors formula limits watch locks",
    "evaluation": "circuit errors lazy",
    "neural": "errors locks",
    "answers": "errors lazy program",
    "queries": "answers circuit compilation errors evaluation formula grounding lazy limits neural program locks",
    "model": "answers circuit compilation errors evaluation formula grounding limits neural program queries locks",
    "checking": "errors grounding program",
    "cli": "collector errors",
    "__main__": "cli",
}
"""What each room may import of the others. The command line imports the public names, which `contracts` sees to."""

LIBRARIES: Mapping[str, str] = {
    "problog": "program grounding.problog",
    "pysdd": "compilation",
    "numba": "evaluation.kernels",
    "llvmlite": "evaluation.kernels",
    "triton": "evaluation.kernels",
    "rich": "progress",
    "torch": "answers evaluation model neural queries",
}
"""Libraries, and the parts that alone may import each."""

PUBLIC = "cli"
"""The rooms that stand on the public names: on the package itself."""

Contract = dict[str, str | bool | list[str]]


def rooms(root: Path) -> list[str]:
    """The modules and packages right below a package's folder."""
    found = {path.stem for path in root.glob("*.py")} | {path.name for path in _packages_in(root)}
    return sorted(found - {"__init__"})


def packages(root: Path) -> list[str]:
    """All packages below a package's folder, by their dotted names within it: ``grounding.tabled``."""
    return sorted(".".join(path.relative_to(root).parts) for path in _all_packages(root))


def _packages_in(folder: Path) -> list[Path]:
    return sorted(path.parent for path in folder.glob("*/__init__.py"))


def _all_packages(folder: Path) -> Iterator[Path]:
    for path in _packages_in(folder):
        yield path
        yield from _all_packages(path)


def unplaced(root: Path, arrows: Mapping[str, str]) -> list[str]:
    """What is wrong with the table, in sentences: rooms without a place, places without a room, arrows in a circle."""
    there = set(rooms(root))
    wrong = [f"the room {room!r} has no place in ARROWS" for room in sorted(there - set(arrows))]
    wrong += [f"ARROWS has a place for {room!r}, and there is no such room" for room in sorted(set(arrows) - there)]
    for room, below in arrows.items():
        wrong += [f"ARROWS lets {room!r} import {b!r}, which has no place" for b in below.split() if b not in arrows]
    list(TopologicalSorter({room: below.split() for room, below in arrows.items()}).static_order())  # or a CycleError
    return wrong


def contracts(
    root: Path, arrows: Mapping[str, str], libraries: Mapping[str, str], public: str, above: Iterable[str]
) -> list[Contract]:
    """The contracts of a package in a folder; ``above`` are packages beside it that nothing in it may import."""
    top = root.name
    found: list[Contract] = [
        {
            "name": f"{room} imports {', '.join(below.split()) or 'none'} of the other rooms",
            "type": "forbidden",
            "source_modules": [f"{top}.{room}"],
            "forbidden_modules": [*(f"{top}.{o}" for o in arrows if o not in {room, *below.split()}), *above],
            "allow_indirect_imports": True,
        }
        for room, below in arrows.items()
    ]
    found.append({"name": "No circle", "type": "acyclic_siblings", "ancestors": [top]})
    for package in packages(root):
        inside = [*root.joinpath(*package.split(".")).glob("*.py"), *_packages_in(root.joinpath(*package.split(".")))]
        behind = sorted({path.stem for path in inside} - {"__init__"})
        found.append(
            {
                "name": f"{package} is entered by its door",
                "type": "protected",
                "protected_modules": [f"{top}.{package}.{name}" for name in behind],
                "allowed_importers": [f"{top}.{package}"],
            }
        )
    for library, users in libraries.items():
        found.append(
            {
                "name": f"Only {' and '.join(users.split())} import {library}",
                "type": "protected",
                "protected_modules": [library],
                "allowed_importers": [*(f"{top}.{user}" for user in users.split()), *above],
            }
        )
    found.append(
        {
            "name": f"Only {' and '.join(public.split())} stands on the public names",
            "type": "protected",
            "protected_modules": [top],
            "allowed_importers": [f"{top}.{room}{deep}" for room in public.split() for deep in ("", ".**")]
            + [f"{name}{deep}" for name in above for deep in ("", ".**")],
            "as_packages": False,
        }
    )
    return [contract for contract in found if contract.get("protected_modules") != []]


def check(
    root: Path = ROOT,
    arrows: Mapping[str, str] = ARROWS,
    libraries: Mapping[str, str] = LIBRARIES,
    public: str = PUBLIC,
    above: Iterable[str] = ("experiments",),
) -> tuple[bool, str]:
    """Whether all contracts are kept, and import-linter's report, or what is wrong with the table."""
    wrong = unplaced(root, arrows)
    if wrong:
        return False, "\n".join(wrong)
    lines = ["[tool.importlinter]", f"root_packages = {json.dumps([root.name, *above])}"]
    lines += ["include_external_packages = true"]
    for contract in contracts(root, arrows, libraries, public, above):
        lines += ["[[tool.importlinter.contracts]]", *(f"{key} = {json.dumps(v)}" for key, v in contract.items())]
    output = io.StringIO()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "contracts.toml"
        file.write_text("\n".join(lines))
        with contextlib.redirect_stdout(output):
            status = lint_imports(config_filename=str(file), no_cache=True, no_logo=True)
    return status == 0, output.getvalue()


if __name__ == "__main__":
    kept, report = check()
    print(report)
    sys.exit(not kept)
