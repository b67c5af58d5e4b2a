"""Python functions as predicates of one model."""

from __future__ import annotations

import pytest

import deepplp
from deepplp import errors


def model_of(text: str) -> deepplp.Model:
    """A model of a program without networks."""
    return deepplp.Model(deepplp.Program.from_string(text, "p.pl"))


def test_functions_give_the_last_argument() -> None:
    """A deterministic function gives its value, which unifies with what the call has there."""
    model = model_of("0.3::n(1). 0.4::n(2). q(Y) :- n(X), add(X, 10, Y). r :- n(X), add(X, X, 4).")
    model.register("add", lambda x, y: x + y, inputs=2)
    answers = model.query(["q(Y)", "r"])
    assert dict(zip(answers.terms, answers.probs[0].tolist(), strict=True)) == pytest.approx(
        {"q(11)": 0.3, "q(12)": 0.4, "r": 0.4}
    )


def test_functions_with_many_solutions_and_tests() -> None:
    """A non-deterministic function gives each of its values; a test holds or not, under negation too."""
    model = model_of("0.5::on. q(D) :- on, divisor(12, D), \\+ odd(D).")
    model.register("divisor", lambda n: (d for d in range(1, n + 1) if n % d == 0), inputs=1, nondeterministic=True)
    model.register("odd", lambda d: d % 2 == 1, inputs=1, test=True)
    assert model.query("q(D)").terms == ("q(2)", "q(4)", "q(6)", "q(12)")


def test_values_come_and_go() -> None:
    """Strings, atoms, numbers and lists are Python values inside the function and terms outside."""
    seen: list[object] = []

    def look(*values: object) -> object:
        seen.append(values)
        return [values[0], "new atom", 1.5, True]

    model = model_of('q(R) :- look(abc, "a text", [1, 2.5, x], R).')
    model.register("look", look, inputs=3)
    assert model.query("q(R)").terms == ("q([abc, 'new atom', 1.5, true])",)
    assert seen == [("abc", "a text", [1, 2.5, "x"])]


def test_functions_of_one_name_and_several_arities() -> None:
    """They are predicates apart; one of the same name and arity takes the place of the one before."""
    model = model_of("q(Y) :- scaled(2, Y). q(Y) :- scaled(2, 10, Y).")
    model.register("scaled", lambda x: x, inputs=1)
    model.register("scaled", lambda x, y: x * y, inputs=2)
    assert model.query("q(Y)").terms == ("q(2)", "q(20)")
    model.register("scaled", lambda x: x + 1, inputs=1)
    assert model.query("q(Y)").terms == ("q(3)", "q(20)")


def test_functions_belong_to_one_model() -> None:
    """What one model registers, another does not know."""
    model_of("q(Y) :- double(2, Y).").register("double", lambda x: 2 * x, inputs=1)
    with pytest.raises(errors.UnknownPredicateError, match="no clauses for double/2"):
        model_of("q(Y) :- double(2, Y).").query("q(Y)")


def test_registering_later_counts() -> None:
    """A function registered after a query failed is used by the next, and a new one replaces an old one."""
    model = model_of("q(Y) :- f(2, Y).")
    with pytest.raises(errors.UnknownPredicateError):
        model.query("q(Y)")
    model.register("f", lambda x: x + 1, inputs=1)
    assert model.query("q(Y)").terms == ("q(3)",)
    model.register("f", lambda x: x + 2, inputs=1)
    assert model.query("q(Y)").terms == ("q(4)",)


def test_mistakes() -> None:
    """What a function raises, inputs that are not ground, values that are no terms and taken names are named errors."""
    model = model_of("q(Y) :- f(0, Y).\nr(Y) :- f(X, Y).")
    model.register("f", lambda x: 1 / x, inputs=1)
    with pytest.raises(
        errors.GroundingError, match=r"p\.pl:1:9: the Python function for f\(0\) raised ZeroDivisionError"
    ):
        model.query("q(Y)")
    with pytest.raises(errors.NonGroundError, match=r"p\.pl:2:9: argument 1 of f/2 is not ground"):
        model.query("r(Y)")
    model.register("f", lambda x: {x}, inputs=1)
    with pytest.raises(errors.GroundingError, match="a set is no number, text, term or list of them"):
        model.query("q(Y)")
    model.register("f", lambda x: [x, None], inputs=1, nondeterministic=True)
    with pytest.raises(errors.GroundingError, match="returned what is no term: a NoneType is no number"):
        model.query("q(Y)")
    for value in (None, 3, "abc"):
        model.register("f", lambda x, value=value: value, inputs=1, nondeterministic=True)
        with pytest.raises(errors.GroundingError, match=f"returned {value!r}; as it is nondeterministic, it returns"):
            model.query("q(Y)")
    with pytest.raises(errors.QueryError, match="between/3 is a built-in"):
        model.register("between", lambda a, b: a, inputs=2)


def test_what_cannot_be_registered() -> None:
    """A name that no goal can call, no function, no number of inputs, and a predicate of the program."""
    model = model_of("q(Y) :- n(Y). n(1).")
    for name in ("Foo", "a b", "", 5):
        with pytest.raises(errors.QueryError, match="name is an atom such as 'square', not "):
            model.register(name, abs, inputs=1)  # type: ignore[arg-type]
    with pytest.raises(errors.QueryError, match="what decides f is a function, not a int"):
        model.register("f", 5, inputs=1)  # type: ignore[arg-type]
    for inputs in (-1, "1", None):
        with pytest.raises(errors.QueryError, match="inputs is the number of arguments"):
            model.register("f", abs, inputs=inputs)  # type: ignore[arg-type]
    with pytest.raises(errors.QueryError, match="n/1 has clauses in the program"):
        model.register("n", lambda: 2, inputs=0)
    assert model.query("q(Y)").terms == ("q(1)",)
