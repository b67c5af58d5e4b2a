"""Every line of the README's first screen, and of the language's page, runs as shown."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

import deepplp
from deepplp.errors import UnknownNetworkError

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    """The README's code blocks of one language."""
    return re.findall(rf"```{language}\n(.*?)```", README, re.S)


def test_first_screen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program and the Python code print what the README says they print."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "game.pl").write_text(blocks("prolog")[0])
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(blocks("python")[0], "README.md", "exec"), {"__name__": "readme"})
    assert printed.getvalue() == blocks("text")[0]


def test_error_message() -> None:
    """The README's error is the one that the mistake raises."""
    text = "% A coin.\n\nnn(net, [X], Y, [h,t]) :: side(X, Y).\n"
    with pytest.raises(UnknownNetworkError) as caught:
        deepplp.Model(deepplp.Program.from_string(text, "coin.pl"), {"digit": lambda x: x})
    assert str(caught.value) + "\n" == blocks("text")[1]


def test_files_that_the_readme_names() -> None:
    """Links lead to files, and commands to targets and modules that exist."""
    for target in re.findall(r"\]\((?!http)([^)]+)\)", README):
        assert (ROOT / target).exists(), target
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^make (\w+)", README, re.M):
        assert f"\n{target}:" in makefile
    for module in re.findall(r"python -m (experiments\.[\w.]+)", README):
        place = ROOT / module.replace(".", "/")
        assert place.with_suffix(".py").exists() or (place / "__main__.py").exists(), module


@pytest.mark.parametrize(("name", "least"), [("language", 10), ("pipeline", 2)])
def test_pages_whose_snippets_run(name: str, least: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every snippet of docs/language.md and docs/pipeline.md prints what stands below it."""
    monkeypatch.chdir(tmp_path)
    page = (ROOT / "docs" / f"{name}.md").read_text()
    space: dict[str, object] = {"__name__": name}
    found = re.findall(r"```python\n(.*?)```(?:\n\n```text\n(.*?)```)?", page, re.S)
    assert len(found) >= least
    for number, (code, expected) in enumerate(found):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(code, f"{name}.md, snippet {number}", "exec"), space)
        assert printed.getvalue() == expected, code
