"""Plain programs without torch: right answers, and nothing loaded that they do not need."""

import importlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given

import deepplp
from deepplp.errors import InconsistentEvidenceError, InputError, QueryError, UnknownNetworkError
from deepplp.evaluation import one_row_probabilities
from deepplp.formula import Formula
from tests.formulas import conjunction, fixed_weights
from tests.oracles import PlainProgram, enumerate_formula
from tests.strategies import formulas, programs


@given(programs())
def test_answers_agree_with_enumeration(program: PlainProgram) -> None:
    """Random programs, with evidence and cycles."""
    parsed = deepplp.Program.from_string(program.text())
    expected = program.enumerate()
    if expected is None:
        with pytest.raises(InconsistentEvidenceError):
            deepplp.probabilities(parsed)
    else:
        assert deepplp.probabilities(parsed) == pytest.approx(expected, abs=1e-12)


@given(formulas())
def test_one_row_agrees_with_enumeration(formula: Formula) -> None:
    """A formula's own weights, zeros among them."""
    weights = fixed_weights(formula)
    joint, evidence = enumerate_formula(formula, weights)
    circuit = deepplp.compile(formula)
    found = one_row_probabilities(circuit, np.array([w for row in weights for w in row]))
    if evidence == 0.0:
        assert found is None
    else:
        assert found is not None
        assert found.tolist() == pytest.approx([p / evidence for p in joint], abs=1e-12)


def test_tiny_evidence_has_its_probabilities() -> None:
    """P(evidence) is 1e-400, which no float holds."""
    program = "1e-200::a. 1e-200::b. 0.25::c. both :- a, b. query(c). query(d). evidence(both). d :- both, c."
    assert deepplp.probabilities(deepplp.Program.from_string(program)) == pytest.approx({"c": 0.25, "d": 0.25})


def test_a_tiny_product_is_zero() -> None:
    """0.001 to the power of 5,000 is below every float."""
    formula = conjunction(5000)
    circuit = deepplp.compile(formula)
    weights = np.tile([1e-3, 1 - 1e-3], 5000)
    assert one_row_probabilities(circuit, weights) == pytest.approx([0.0], abs=1e-300)


def test_parameters_count_as_they_start() -> None:
    """A parameter counts as its first value."""
    program = deepplp.Program.from_string("t(0.3)::a. 0.2::b; t(0.4)::c; t(0.4)::d. query(a). query(c). query(b).")
    assert deepplp.probabilities(program) == pytest.approx({"a": 0.3, "c": 0.4, "b": 0.2})


def test_answers_stand_as_in_a_model(tmp_path: Path) -> None:
    """In the order and the spelling of `Model.query`, with what no world proves behind."""
    text = (
        "0.5::e(b, c). 0.25::e(a, b). e(c, d) :- fail. query(e(_, _)). query(e(c, d)). "
        "0.5::v((a; b)). 0.25::w(1 - -1). query(v(_)). query(w(_))."
    )
    path = tmp_path / "edges.pl"
    path.write_text(text)
    answers = deepplp.Model(path, cache=False).query()
    assert list(deepplp.probabilities(path, cache=False)) == [*answers.terms, *answers.unanswered]


def test_a_kept_form_is_used_by_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model and the plain way keep compiled forms under one name."""
    monkeypatch.setattr("deepplp.queries.workshop._WORTH_KEEPING", 0.0)
    program = deepplp.Program.from_string("0.3::a. 0.5::b. q :- a. q :- b. query(q).")
    assert deepplp.probabilities(program, cache=tmp_path) == pytest.approx({"q": 0.65})
    assert len(list(tmp_path.glob("*.npz"))) == 1
    model = deepplp.Model(program, cache=tmp_path)
    assert float(model.query()["q"]) == pytest.approx(0.65)
    assert model.cache_info().disk == 1
    monkeypatch.setattr("deepplp.queries.workshop.Workshop.built", None)  # nothing is ground anew
    assert deepplp.probabilities(program, cache=tmp_path) == pytest.approx({"q": 0.65})


def test_what_cannot_be_answered_is_said() -> None:
    """Each by its own error."""
    from_string = deepplp.Program.from_string
    with pytest.raises(UnknownNetworkError, match=r"nn\(net, \[X\], Y, \[0, 1\]\) needs a network"):
        deepplp.probabilities(from_string("nn(net, [X], Y, [0, 1]) :: d(X, Y). query(d(a, _))."))
    with pytest.raises(InconsistentEvidenceError, match="evidence a contradicts the program"):
        deepplp.probabilities(from_string("a :- fail. query(b). 0.5::b. evidence(a)."))
    with pytest.raises(QueryError, match="there is no grounder 'prolog'"):
        deepplp.probabilities(from_string("0.5::a. query(a)."), grounder="prolog")  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"shape \[1\]; this circuit needs \[10\]"):
        one_row_probabilities(deepplp.compile(conjunction(5)), np.ones(1))


def test_the_command_line_loads_neither_torch_nor_numba(tmp_path: Path) -> None:
    """They take seconds to load."""
    path = tmp_path / "coin.pl"
    path.write_text("0.4::heads. query(heads).")
    code = (
        "import sys; sys.argv[1:] = ['prob', sys.argv[1]]\n"
        "from deepplp.cli import main\n"
        "try:\n    main()\n"
        "except SystemExit:\n    pass\n"
        "print([m for m in ('torch', 'numba', 'joblib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["heads:", "0.4", "[]"]


@pytest.mark.parametrize("package", ["deepplp", "deepplp.answers", "deepplp.queries", "deepplp.evaluation"])
def test_names_that_are_loaded_on_use_are_there(package: str) -> None:
    """Every name of a lazy package, and a clear error for others."""
    module = importlib.import_module(package)
    for name in module.__all__:
        assert getattr(module, name) is not None
        assert name in dir(module)
    with pytest.raises(AttributeError, match=f"module '{package}' has no attribute 'Modle'"):
        module.Modle  # noqa: B018
