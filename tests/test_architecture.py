"""The house: which part imports which, and what its arguments are typed as."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError
from pathlib import Path

import pytest

from tests.architecture import ARROWS, ROOT, check, packages, rooms, unplaced

MOST_ANY = 0.03
"""The share of annotated arguments that may be typed `Any`."""


def test_every_room_has_its_place() -> None:
    """Each module and package right below the library's folder stands in the table of arrows, and nothing else does."""
    assert unplaced(ROOT, ARROWS) == []


def test_the_contracts_are_kept() -> None:
    """No arrow up, no circle, no import past a door, and libraries only where they belong."""
    kept, report = check()
    assert kept, report


HOUSE = {
    "__init__.py": "from {0}.top import shown",
    "errors.py": "",
    "low/__init__.py": "from {0}.low.inner import a",
    "low/inner.py": "import json\na = 1",
    "low/wing/__init__.py": "from {0}.low.wing.deep import b",
    "low/wing/deep.py": "b = 1",
    "high/__init__.py": "from {0}.high.work import c",
    "high/work.py": "from {0}.low import a\nc = a",
    "high/more.py": "from {0}.high.work import c",
    "top.py": "from {0}.high import c as shown",
    "line.py": "import {0}",
}
"""A small house that keeps its contracts."""
TABLE = {"errors": "", "low": "errors", "high": "errors low", "top": "high", "line": ""}

FAULTS = {
    "up": ({"low/inner.py": "import json\nfrom {0}.high import c"}, "low.inner -> {0}.high"),
    "up, inside a function": (
        {"low/inner.py": "import json\ndef f():\n    from {0} import top"}, "{0}.low.inner -> {0}.top"
    ),
    "across": ({"errors.py": "from {0}.low import a"}, "{0}.errors -> {0}.low"),
    "past a door": ({"high/work.py": "from {0}.low.inner import a\nc = a"}, "{0}.high.work -> {0}.low.inner"),
    "past a door, by the way": ({"top.py": "import {0}.high.more"}, "{0}.top -> {0}.high.more"),
    "past a wing's door": ({"low/inner.py": "import json\nimport {0}.low.wing.deep"}, "{0}.low.inner ->"),
    "past a wing's door, from afar": ({"high/more.py": "from {0}.low.wing.deep import b"}, "{0}.high.more ->"),
    "through a wing's door, from afar": ({"high/more.py": "from {0}.low.wing import b"}, "{0}.high.more ->"),
    "in a circle": ({"high/work.py": "from {0}.low import a\nfrom {0}.high import more\nc = a"}, "No cycles"),
    "a library": ({"high/more.py": "import json"}, "{0}.high.more -> json"),
    "a library, in the same room": ({"low/wing/deep.py": "import json.decoder\nb = 1"}, "{0}.low.wing.deep -> json"),
    "the public names": ({"high/more.py": "import {0}"}, "{0}.high.more -> {0}"),
    "what stands on top": ({"high/more.py": "import {0}_scripts"}, "{0}.high.more -> {0}_scripts"),
}  # fmt: skip


def built(folder: Path, files: dict[str, str]) -> Path:
    """A package of these files, whose name is that of the folder, and one beside it that uses it."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.format(folder.name))
    beside = folder.parent / f"{folder.name}_scripts"
    beside.mkdir()
    (beside / "__init__.py").write_text(f"import json\nimport {folder.name}\nfrom {folder.name}.low import a")
    return folder


def checked(root: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[bool, str]:
    """The contracts of such a package."""
    monkeypatch.syspath_prepend(root.parent)
    return check(root, TABLE, {"json": "low.inner"}, "line", [f"{root.name}_scripts"])


def test_a_house_that_keeps_its_contracts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The small house of these tests is in order: what breaks its contracts below is the fault alone."""
    root = built(tmp_path / "house_in_order", HOUSE)
    assert rooms(root) == ["errors", "high", "line", "low", "top"]
    assert packages(root) == ["high", "low", "low.wing"]
    kept, report = checked(root, monkeypatch)
    assert kept, report


@pytest.mark.parametrize("fault", FAULTS)
def test_contracts_are_broken_by_imports(fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each kind of import that the house forbids breaks a contract, and the report shows it."""
    files, message = FAULTS[fault]
    root = built(tmp_path / f"house_{list(FAULTS).index(fault)}", HOUSE | files)
    kept, report = checked(root, monkeypatch)
    assert not kept
    assert message.format(root.name) in " ".join(report.split())


def test_a_new_room_needs_a_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A room that the table does not know is named; so is a place whose room is gone, and arrows must not turn."""
    root = built(tmp_path / "house_anew", HOUSE | {"attic.py": "", "cellar/__init__.py": ""})
    (root / "top.py").unlink()
    kept, report = checked(root, monkeypatch)
    assert not kept
    assert report.splitlines() == [
        "the room 'attic' has no place in ARROWS",
        "the room 'cellar' has no place in ARROWS",
        "ARROWS has a place for 'top', and there is no such room",
    ]
    with pytest.raises(CycleError):
        unplaced(root, {**TABLE, "low": "high"})


def arguments(tree: ast.AST) -> Iterator[ast.arg]:
    """The arguments of all functions in a tree that have an annotation."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            a = node.args
            every = [*a.posonlyargs, *a.args, *a.kwonlyargs, *filter(None, (a.vararg, a.kwarg))]
            yield from (argument for argument in every if argument.annotation is not None)


def is_any(argument: ast.arg) -> bool:
    """Whether an argument's whole type is `Any`."""
    return ast.unparse(argument.annotation or ast.Constant(None)) in ("Any", "typing.Any", "'Any'")


def test_any_is_seen() -> None:
    """The count below sees every kind of argument, and only whole types."""
    text = "def f(a: Any, /, b: 'Any', *c: Any, d: typing.Any, e: list[Any], f, g: int, **h: Any) -> Any: ..."
    found = list(arguments(ast.parse(f"class C:\n    {text}")))
    assert [a.arg for a in found] == ["a", "b", "d", "e", "g", "c", "h"]
    assert [a.arg for a in found if is_any(a)] == ["a", "b", "d", "c", "h"]


def test_arguments_have_types() -> None:
    """Few arguments are typed `Any`: a type says what a function may be given."""
    every = [(path, argument) for path in ROOT.rglob("*.py") for argument in arguments(ast.parse(path.read_text()))]
    named = [
        f"{path.relative_to(ROOT)}:{argument.lineno} {argument.arg}" for path, argument in every if is_any(argument)
    ]
    share = len(named) / len(every)
    assert share < MOST_ANY, f"{share:.1%} of {len(every)} arguments are typed Any:\n" + "\n".join(named)
