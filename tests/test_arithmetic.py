"""Arithmetic has bounds: what is too large is refused before it is computed, wherever it stands."""

from __future__ import annotations

import pytest

import deepplp
from deepplp.errors import DomainError, GroundingError, InvalidProbabilityError, ProgramSyntaxError
from deepplp.grounding import Grounder, GrounderName
from deepplp.program import Program, parse_goal
from tests.clocks import processor_seconds

both = pytest.mark.parametrize("grounder", ["tabled", "problog"])


@both
@pytest.mark.parametrize(
    "expression",
    ["2**(10**11)", "2^(10**11)", "(-3)**(10**12)", "1 << 10**12", "-1 << 10**12", "(2**60000)*(2**60000)",
     "2**(10**30)", "1 << 2**60000", "3 + 2**(10**11)", "7 mod 2**(10**11)"],
)  # fmt: skip
@pytest.mark.parametrize("body", ["X is {}", "{} > 3, X = 1", "3 =:= {}, X = 1", "Y = {}, X is Y + 1"])
def test_too_large_numbers_are_not_computed(expression: str, body: str, grounder: GrounderName) -> None:
    """An integer of more than 65,536 bits is refused at once, as a value and within one."""
    program = Program.from_string(f"q(X) :- {body.format(expression)}.")
    start = processor_seconds()
    with pytest.raises(GroundingError, match=r"no value: .* has more than 65,536 bits"):
        Grounder(program, grounder=grounder).ground([parse_goal("q(X)")])
    assert processor_seconds() - start < 1


@both
@pytest.mark.parametrize(
    ("expression", "value"),
    [("2**20000 mod 7", 2**20000 % 7), ("1 << 100", 1 << 100), ("0 << 10**15", 0), ("1**(10**20)", 1),
     ("(-1)**(10**20+1)", -1), ("0**(10**20)", 0), ("2**(-(10**11))", 0.0), ("(2**30000)*(2**30000) // 2**59999", 2),
     ("10**4300 - 1", 10**4300 - 1), ("1 - 10**4300", 1 - 10**4300), ("2.5*4", 10.0)],
)  # fmt: skip
def test_numbers_within_bounds_have_their_values(expression: str, value: object, grounder: GrounderName) -> None:
    """Bounds refuse nothing that fits: values are those of Python's integers."""
    program = Program.from_string(f"q(X) :- X is {expression}.")
    (goal,) = Grounder(program, grounder=grounder).ground([parse_goal("q(X)")]).queries
    assert goal.term.args[0].functor == value  # type: ignore[union-attr]


@both
def test_a_number_too_long_to_be_written_is_no_term(grounder: GrounderName) -> None:
    """An integer of more than 4,300 digits is no result, whichever its sign."""
    for expression in ("10**4300", "0 - 10**4300", "3**20000"):
        with pytest.raises(GroundingError, match=r"more than 4,300 digits"):
            Grounder(Program.from_string(f"q(X) :- X is {expression}."), grounder=grounder).ground([parse_goal("q(X)")])


def test_where_a_text_is_read() -> None:
    """A probability, a learnable one and a range of values have the same bounds, before anything is ground."""
    with pytest.raises(InvalidProbabilityError, match="not a number"):
        deepplp.Model(Program.from_string("2**(10**11)::a."), cache=False).query("a")
    with pytest.raises(ProgramSyntaxError, match="must start from a number"):
        Program.from_string("t(1 << 10**12)::a.")
    ranges = Program.from_string("nn(net, [X], Y, [0..10**15]) :: d(X, Y).")
    with pytest.raises(DomainError, match="more than 1,000,000 values"):
        deepplp.Model(ranges, {"net": lambda x: x}, cache=False).query("d(a, 3)")
