"""A built-in that cannot do what it is asked says so in the program's words, whatever the arguments."""

from __future__ import annotations

import random
import re

import pytest

import deepplp
from deepplp.errors import DeepPLPError, GroundingError
from deepplp.grounding import GroundBudget

ARGUMENTS = (
    "X", "foo", '"s"', "[]", "[1, a]", "[1|Y]", "1.5", "-1", "0", "100000000000000000000", "1.0e400", "f(a, Y)",
    "a + 1", "p(X)", "'A b'", "\\+a", "[a-1]", "1 / 0", "log(0)", "(-8) ** 0.5",
)  # fmt: skip
SIGNATURES = (
    "</2 =../2 =/2 =:=/2 =</2 ==/2 =\\=/2 >/2 >=/2 @</2 @=</2 @>/2 @>=/2 \\=/2 \\==/2 ./2 all/3 all_or_none/3 arg/3 "
    "atom/1 atom_number/2 atomic/1 between/3 call/1 call/2 call/3 call_nc/1 call_nc/2 callable/1 clause/2 compare/3 "
    "compound/1 create_scope/2 call_in_scope/2 call_in_scope/3 error/1 error/2 find_scope/2 findall/3 float/1 "
    "functor/3 ground/1 integer/1 is/2 is_list/1 length/2 nocache/2 nonvar/1 number/1 numbervars/2 numbervars/3 "
    "once/1 plus/3 possible/1 sample_uniform1/3 seq/1 simple/1 sort/2 subquery/2 subquery/3 subsumes_chk/2 "
    "subsumes_term/2 succ/2 try_call/1 try_call/2 unknown/1 var/1 varnumbers/2 write/1 writeln/2 consult/1 forall/2"
)
LIBRARY = (
    "lists:append/3 lists:enum_groups/3 lists:max_list/2 lists:max_member/2 lists:member/2 lists:min_list/2 "
    "lists:nth0/3 lists:nth1/3 lists:nth1/4 lists:select_uniform/4 lists:select_weighted/5 lists:sum_list/2 "
    "lists:unzip/3 apply:foldl/4 apply:include/3 apply:maplist/3 string:concat/2 string:join/3 string:str2lst/2 "
    "string:lst2str/2 string:str2int/2 string:sub_string/5 aggregate:sum/2 aggregate:avg/2 aggregate:max/2 "
    "assert:assertz/1 assert:retract/1 record:recorda/2 record:recorded/2 record:erase/1 collect:'=>'/2 cut:cut/1 "
    "control:on_fail/2"
)
OF_PYTHON = re.compile(
    r"[A-Z]\w*Error\b|Exception|NoneType|object has no|unhashable|positional argument|not supported between|"
    r"invalid literal|unsupported operand|domain error|Errno|Traceback|<class|<function|tuple index|unpack|"
    r"not iterable|not subscriptable|__\w+__|\bNone\b"
)


def ground(goal: str, grounder: str = "auto", library: str = "") -> None:
    """Ground a rule whose body is a goal."""
    uses = f":- use_module(library({library})). " if library else ""
    program = deepplp.Program.from_string(f"{uses}p(1). a.\nq(X) :- {goal}.", "p.pl")
    budget = GroundBudget(seconds=0.2, goals=500)
    deepplp.ground(program, "q(X)", grounder=grounder, budget=budget)  # type: ignore[arg-type]


def message(goal: str, grounder: str = "auto", library: str = "") -> str | None:
    """The message of a goal's error; None where it has none."""
    try:
        ground(goal, grounder, library)
    except DeepPLPError as error:
        return str(error)
    return None


@pytest.mark.parametrize("signature", f"{SIGNATURES} {LIBRARY}".split())
def test_no_word_of_python(signature: str) -> None:
    """Called with anything, a built-in holds, fails, or raises an error of ours that speaks of the program."""
    library, _, called = signature.rpartition(":") if ":" in signature else ("", "", signature)
    name, _, arity = called.rpartition("/")
    name = name if re.fullmatch(r"[a-z]\w*|'.*'", name) else f"'{name}'"
    draw = random.Random(signature)
    for _ in range(18):
        goal = f"{name}({', '.join(draw.choice(ARGUMENTS) for _ in range(int(arity)))})"
        for grounder in ("tabled", "problog"):
            said = message(goal, grounder, library)
            assert not OF_PYTHON.search((said or "").partition("\n")[0]), f"{goal}: {said}"


GIVE = "if it stands for a tensor, give it to the call: inputs {{'{}': …}}"

ARITHMETIC = [
    ("X is foo + 1", "1:11", "foo is no number"),
    ("X is Y + 1", "1:11", "Y is not bound when it is reached; bind it in a goal before this one"),
    ("Y = foo, X is 2 * Y", "1:20", "foo is no number (here Y = foo); " + GIVE.format("foo")),
    ("X is 1 / 0", "1:11", "1/0 divides by zero"),
    ("Y = 0, X is 1 mod Y", "1:18", "1 mod 0 divides by zero (here Y = 0)"),
    ("X is log(0)", "1:11", "log(0) is not defined"),
    ("X is (-8) ** 0.5", "1:11", "-8**0.5 is no real number"),
    ("X is 1 << 2.5", "1:11", "1<<2.5 is not defined; << takes integers"),
    ("X is exp(1000)", "1:11", "exp(1000) is too large for a number"),
    ("X is sqr(2)", "1:11", "sqr(2) is no number, as there is no arithmetic function sqr/1; did you mean sqrt/1?"),
    ("X is max(1, 2, 3)", "1:11",
     "max(1,2,3) is no number, as there is no arithmetic function max/3; did you mean max/2?"),
    ("X is [1]", "1:11", "[1] is a list, no number"),
    ('X = 1, "a" < 3', "1:20", '"a" is a text, no number'),
    ("member(X, [1, b]), X > 0", "1:30", "b is no number (here X = b); " + GIVE.format("b")),
    ("X = 1, \\+ Y > 0", "1:21", "Y is not bound when it is reached; bind it in a goal before this one"),
    ("findall(A, (member(A, [a]), A > 2), X)", "1:39", "a is no number (here A = a); " + GIVE.format("a")),
]  # fmt: skip


@pytest.mark.parametrize(("goal", "place", "reason"), ARITHMETIC, ids=[g for g, _, _ in ARITHMETIC])
def test_arithmetic_without_a_value(goal: str, place: str, reason: str) -> None:
    """Arithmetic without a value names the part that has none, what the clause's variables are, and the place."""
    program = deepplp.Program.from_string(f"q(X) :- {goal}.", "p.pl")
    with pytest.raises(GroundingError) as caught:
        deepplp.ground(program, "q(X)")
    assert caught.value.message == f"this arithmetic has no value: {reason}"
    assert str(caught.value).startswith(f"p.pl:{place}: ")


@pytest.mark.parametrize(
    ("goal", "reason"),
    [("1 / 0", "1/0 divides by zero"), ("2 * foo", "foo is no number"), ("log(0)", "log(0) is not defined"),
     ("(-8) ** 0.5", "-8**0.5 is no real number"), ("-1 << 2.5", "-1<<2.5 is not defined; << takes integers")],
)  # fmt: skip
def test_the_tabled_engine_says_the_same(goal: str, reason: str) -> None:
    """The tabled engine, where it is the only one allowed, gives the same reason."""
    said = message(f"X is {goal}", "tabled")
    assert said is not None
    assert f"arithmetic has no value: {reason}" in said


@pytest.mark.parametrize(
    ("goal", "expected"),
    [
        ("between(1, Z, X)", "argument 2 (Z) of between/3 is not bound when it is reached; it must be an integer"),
        ("between(1, a, X)", "argument 2 of between/3 is a; it must be an integer"),
        ("arg(1, Z, X)", "argument 2 (Z) of arg/3 is not bound when it is reached; bind it in a goal before this one"),
        ("sort(a, X)", "sort/2 needs a list whose end is known, not a"),
        ("Z = foo, findall(X, 3, Z)", "argument 2 of findall/3 is 3; it must be a goal"),
        ("functor(X, Z, 3)", "functor/3 does not take these arguments together: (X, Z, 3); it takes (a free variable, "
         "an atom, an integer from 0 on) or (bound, anything, anything)"),
        ("X =.. []",
         "=../2 does not take =..(X, []): it needs a non-empty list for argument 2 if argument 1 is a variable"),
        ("X = 1, [a, f(2)]", "cannot read a: there is no file"),
        ("X = 1, [f(2)]", "a file's name is an atom such as 'facts.pl', not f(2)"),
        ("error('Bad ', 3)", "Bad 3"),
    ],
)  # fmt: skip
def test_arguments(goal: str, expected: str) -> None:
    """What is wrong with the arguments of a built-in is said by their number, and by their name in the clause."""
    with pytest.raises(DeepPLPError) as caught:
        ground(goal)
    assert caught.value.message.startswith(expected)
    assert caught.value.position is not None


def test_operators_taken_apart() -> None:
    """The name of a term that is written as an operator is an atom, which prints and compares as one."""
    program = deepplp.Program.from_string("q(X, Y) :- a + 1 =.. [X|_], - a =.. [Y|_]. r :- a + 1 =.. [X|_], X == '+'.")
    assert [str(goal.term) for goal in deepplp.ground(program, "q(X, Y)").queries] == ["q(+,-)"]
    assert deepplp.Model(program).query("r").probs.tolist() == [[1.0]]
