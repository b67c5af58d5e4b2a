"""Every mistake gets a named error that says where, what and what instead."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import torch
from torch import Tensor

import deepplp
from deepplp import errors
from deepplp.errors import DeepPLPError

DIGITS = "nn(net, [X], Y, [0..2]) :: d(X, Y).\ns(X,Y,Z) :- d(X,A), d(Y,B), Z is A+B.\n"
NN_CARET = "\n    nn(net, [X], Y, [0..2]) :: d(X, Y).\n    ^"
X = torch.tensor([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]])


def identity(x: Tensor) -> Tensor:
    """A network whose input is its output."""
    return x


def fixed(*rows: list[float]) -> Callable[[Tensor], Tensor]:
    """A network that always returns these rows."""
    return lambda x: torch.tensor(rows)


@dataclass(frozen=True)
class Case:
    """A mistake, and the error that it must raise: in the query, or in what is asked of its answers, ``then``."""

    name: str
    error: type[DeepPLPError]
    message: str
    program: str = DIGITS
    query: object = "d(a, Z)"
    inputs: Mapping[str, object] = field(default_factory=dict)
    networks: Mapping[str, object] | None = None
    evidence: Mapping[str, bool] = field(default_factory=dict)
    then: str = ""


SYNTAX = [
    (
        "no full stop",
        "a :- b",
        "p.pl:1:1: this statement does not end: expected '.' before the end of the text\n    a :- b\n    ^",
    ),
    (
        "no full stop between",
        "a :- b\nc :- d.",
        "p.pl:2:1: the statement before this, which ends in line 1, has no full stop\n    c :- d.\n    ^",
    ),
    ("open parenthesis", "a(X :- b.", "p.pl:1:2: '(' has no partner\n    a(X :- b.\n     ^"),
    (
        "closing bracket",
        "p(]).",
        "p.pl:1:3: expected ')' before ']': the '(' of line 1, column 2 is still open\n    p(]).\n      ^",
    ),
    ("open quote", "0.3::a(\n'x).", "p.pl:2:1: \"'\" has no partner\n    'x).\n    ^"),
    ("open comment", "a. /* b", "p.pl:1:4: '/' has no partner\n    a. /* b\n       ^"),
    ("strange character", "a.\n$.", "p.pl:2:1: unexpected character '$'\n    $.\n    ^"),
    (
        "no operand",
        "a.\nb :- c, .",
        "p.pl:2:7: nothing stands between ',' and the full stop\n    b :- c, .\n          ^",
    ),
    (
        "two commas",
        "p:- q,,r.",
        "p.pl:1:7: nothing stands between ',' and ','\n    p:- q,,r.\n          ^",
    ),
    ("a number", "3.", "p.pl:1:1: expected a fact or a rule\n    3.\n    ^"),
    (
        "a variable as head",
        "X :- a.",
        "p.pl:1:1: unexpected clause head 'X'; a head is an atom such as p(X)\n    X :- a.\n    ^",
    ),
    (
        "a range as fact",
        "0..9.",
        "p.pl:1:1: a range such as 0..9 is the domain of an nn annotation, not a fact\n    0..9.\n    ^",
    ),
    (
        "tabs before the caret",
        "a :-\n\tb c.",
        "p.pl:2:4: expected an operator, ',' or '.' before this; is a comma or full stop missing?\n    \tb c.\n    \t  ^",
    ),
    (
        "a query of another system",
        "?- a.",
        "p.pl:1:1: a program asks by query(a), not by ?-\n    ?- a.\n    ^",
    ),
    (
        "one colon",
        "0.3:a.",
        "p.pl:1:1: 0.3:a is a fact about ':'; a probability takes two colons: 0.3::a\n    0.3:a.\n    ^",
    ),
    (
        "a probability in a body",
        "0.01::ill.\nsneezes :- 0.9::ill.",
        "p.pl:2:12: a probability stands before a head, not in a body; write 0.9::ill. sneezes :- ill. (a fact of its "
        "own) or 0.9::sneezes :- ill. (a rule's)\n    sneezes :- 0.9::ill.\n               ^",
    ),
    (
        "a probability in a query",
        "0.01::ill. query(0.9::ill).",
        "p.pl:1:18: a probability stands before a head, not in query: state 0.9::ill as a clause, and write query(ill)\n"
        "    0.01::ill. query(0.9::ill).\n                     ^",
    ),
    (
        "another language's operators",
        "q(X) :- p(X), X != 1.",
        "p.pl:1:17: != is no operator; write X \\= Y for terms that differ, X =\\= Y for numbers\n"
        "    q(X) :- p(X), X != 1.\n                    ^",
    ),
    (
        "another language's comments",
        "# a coin\n0.5::heads.",
        "p.pl:1:1: a comment begins with %, not #\n    # a coin\n    ^",
    ),
    (
        "a capitalised predicate",
        "Edge(a, b).",
        "p.pl:1:1: Edge is a variable; a predicate's name begins with a small letter: edge(…)\n    Edge(a, b).\n    ^",
    ),
    (
        "cplint's probabilities",
        "heads:0.6 ; tails:0.4 :- toss.",
        "p.pl:1:1: heads:0.6 is cplint's way of writing; a probability stands before its head: 0.6::heads\n"
        "    heads:0.6 ; tails:0.4 :- toss.\n    ^",
    ),
    (
        "two necks",
        "a :- b :- c.",
        "p.pl:1:8: a statement has one ':-'; is a full stop missing before this clause?\n    a :- b :- c.\n           ^",
    ),
    (
        "a character code",
        "q(0'', 1).",
        "p.pl:1:3: a character's code is 0' and the character, such as 0'a; that of a quote is 0'\\'\n"
        "    q(0'', 1).\n      ^",
    ),
    (
        "a remainder",
        "odd(X) :- number(X), 1 is X % 2.",
        "p.pl:1:29: % begins a comment; the remainder is mod: X mod 2\n"
        "    odd(X) :- number(X), 1 is X % 2.\n                                ^",
    ),
    (
        "per cent",
        "30%::a.\nquery(a).",
        "p.pl:1:3: % begins a comment; a probability is a number from 0 to 1: 0.3\n    30%::a.\n      ^",
    ),
    (
        "an operator in an argument",
        "q(L) :- findall(X, p(X);r(X), L).",
        "p.pl:1:24: p(X);r(X) as an argument stands in parentheses of its own: (p(X);r(X))\n"
        "    q(L) :- findall(X, p(X);r(X), L).\n                           ^",
    ),
    (
        "a query of two goals, either of which may hold",
        "0.3::a. 0.2::b.\nquery(a;b).",
        "p.pl:2:8: query is of one atom: give a;b a name by a rule, such as p :- a;b, and write query(p)\n"
        "    query(a;b).\n           ^",
    ),
    (
        "a blank in a neck",
        "a : - b.",
        "p.pl:1:1: no blank stands in :-, and a rule is a :- b\n    a : - b.\n    ^",
    ),
    (
        "a doubled quote",
        "q('it''s').",
        "p.pl:1:7: a quote within quotes takes a backslash: \\', not ''\n    q('it''s').\n          ^",
    ),
    (
        "operators",
        ":- op(700, xfx, ===>).",
        "p.pl:1:1: ProbLog has no operators but its own; write terms as name(a, b)\n    :- op(700, xfx, ===>).\n    ^",
    ),
    (
        "a declaration of no predicate",
        ":- dynamic edge.",
        "p.pl:1:1: dynamic declares predicates, such as dynamic edge/2, not edge\n    :- dynamic edge.\n    ^",
    ),
    (
        "nn/1",
        "nn(net) :: a(X).",
        "p.pl:1:1: nn takes 2 to 5 arguments, not 1: nn(network, [inputs]), nn(network, [inputs], Tensor), "
        "nn(network, [inputs], Output, [values]) or nn(network, [inputs], Output, [values], independent)\n"
        "    nn(net) :: a(X).\n    ^",
    ),
    (
        "nn's fifth argument another word",
        "nn(net,[X],Y,[0..2],alone) :: a(X,Y).",
        "p.pl:1:1: the fifth argument of nn is the word independent, for values each of which may hold by itself, "
        "not alone\n    nn(net,[X],Y,[0..2],alone) :: a(X,Y).\n    ^",
    ),
    (
        "nn's output a constant",
        "nn(net,[X],3,[0..2]) :: a(X,3).",
        "p.pl:1:1: the third argument of nn/4 must be a variable, not 3\n    nn(net,[X],3,[0..2]) :: a(X,3).\n    ^",
    ),
    (
        "nn's output not in the head",
        "nn(net,[X],Y,[0..2]) :: a(X).",
        "p.pl:1:1: the output Y does not occur in the head a(X)\n    nn(net,[X],Y,[0..2]) :: a(X).\n    ^",
    ),
    (
        "a domain that is no list",
        "nn(net,[X],Y,foo) :: a(X,Y).",
        "p.pl:1:1: the domain must be a list such as [0..9] or [red, green], not foo\n    nn(net,[X],Y,foo) :: a(X,Y).\n    ^",
    ),
    (
        "a network's name a variable",
        "nn(N,[X]) :: a(X).",
        "p.pl:1:1: the network's name must be an atom, not N\n    nn(N,[X]) :: a(X).\n    ^",
    ),
    (
        "a query of two goals",
        "0.3::a. 0.2::b.\nquery(a, b).",
        "p.pl:2:1: query/2 asks nothing; a query is of one goal: query(a). query(b).\n    query(a, b).\n    ^",
    ),
    (
        "evidence with a probability",
        "0.3::a.\nevidence(a, true, 0.9).",
        "p.pl:2:1: evidence/3 observes nothing; write evidence(a) or evidence(a, false); evidence that is uncertain is a "
        "fact that depends on it: 0.9::seen :- a. 0.1::seen :- \\+a. evidence(seen).\n    evidence(a, true, 0.9).\n    ^",
    ),
    (
        "evidence of nothing",
        "0.3::a.\nevidence :- a.",
        "p.pl:2:1: evidence/0 observes nothing; write evidence(a) or evidence(a, false)\n    evidence :- a.\n    ^",
    ),
]


@pytest.mark.parametrize(("text", "message"), [(t, m) for _, t, m in SYNTAX], ids=[n for n, _, _ in SYNTAX])
def test_syntax(text: str, message: str) -> None:
    """A text that is no program is refused when it is parsed, with the place and a caret."""
    with pytest.raises(errors.ProgramSyntaxError) as caught:
        deepplp.Program.from_string(text, "p.pl")
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "text",
    [
        "nn(n,[X]) :: a(X); 0.3::b.",
        "0.3::b; nn(n,[X],Y,[0,1]) :: a(X,Y) :- c(X).",
        "?::a.",
        "normal(0, 1)::a.",
        "a ~ gamma(1, 2) :- b.",
        ":- ['a.pl', 'b.pl'].",
    ],
)
def test_unsupported(text: str) -> None:
    """What deepplp does not do yet is said when the program is parsed."""
    with pytest.raises(errors.UnsupportedConstructError, match=r"^p\.pl:1:1: "):
        deepplp.Program.from_string(text, "p.pl")


CASES = [
    Case("unknown network", errors.UnknownNetworkError,
         "p.pl:1:1: no network 'net' for nn(net, [X], Y, [0..2]); this model has: digit" + NN_CARET,
         networks={"digit": identity}),
    Case("a network of another name", errors.UnknownNetworkError,
         "p.pl:1:1: no network 'net' for nn(net, [X], Y, [0..2]); this model has: nett; did you mean 'nett'?" + NN_CARET,
         networks={"nett": identity}),
    Case("number of inputs", errors.NetworkInputError,
         "p.pl:1:1: network 'net' takes 1 input, but nn(net, [X, Y], Z, [0..2]) gives it 2\n"
         "    nn(net, [X,Y], Z, [0..2]) :: d(X,Y,Z).\n    ^",
         program="nn(net, [X,Y], Z, [0..2]) :: d(X,Y,Z)."),
    Case("number of outputs", errors.NetworkOutputError,
         "p.pl:1:1: network 'net' returned a tensor of shape [2, 2], but nn(net, [X], Y, [0..2]) needs [2, 3]: its domain "
         "has 3 values" + NN_CARET, inputs={"a": X[:, :2]}),
    Case("logits", errors.NetworkOutputError,
         "p.pl:1:1: network 'net', input a, row 1: the output [2, -1, 0] read as probabilities for "
         "nn(net, [X], Y, [0..2]) has a negative entry; if it returns logits, say so: "
         "deepplp.Network(net, output='logits')" + NN_CARET, inputs={"a": X},
         networks={"net": fixed([0.2, 0.3, 0.5], [2.0, -1.0, 0.0])}),
    Case("rows that do not sum to one", errors.NetworkOutputError,
         "p.pl:1:1: network 'net', input b, row 0: the output [0.5, 0.5, 0.5] read as probabilities for "
         "nn(net, [X], Y, [0..2]) does not sum to one; if it returns logits, say so: "
         "deepplp.Network(net, output='logits')" + NN_CARET, query="s(a, b, Z)",
         inputs={"a": X[:1], "b": X[:1]}, networks={"net": fixed([0.2, 0.3, 0.5], [0.5, 0.5, 0.5])}),
    Case("NaN", errors.NetworkOutputError,
         "p.pl:1:1: network 'net', input a, row 0: the output [nan, nan, nan] read as probabilities for "
         "nn(net, [X], Y, [0..2]) is not finite (NaN or infinity)" + NN_CARET, inputs={"a": X * float("nan")}),
    Case("NaN in logits", errors.NetworkOutputError,
         "p.pl:1:1: network 'net', input a, row 0: the output [nan, nan, nan] read as logits for "
         "nn(net, [X], Y, [0..2]) is not finite (NaN or infinity)" + NN_CARET, inputs={"a": X * float("nan")},
         networks={"net": deepplp.Network(identity, output="logits")}),
    Case("probability above one", errors.NetworkOutputError,
         "p.pl:1:1: network 'net', input a, row 0: the output [1.5] read as probabilities for nn(net, [X]) is not between "
         "0 and 1; if it returns logits, say so: deepplp.Network(net, output='logits')\n    nn(net, [X]) :: d(X).\n    ^",
         program="nn(net, [X]) :: d(X).", query="d(a)", inputs={"a": torch.tensor([1.5])}),
    Case("integers", errors.NetworkOutputError,
         "p.pl:1:1: network 'net' returned torch.int64; probabilities must be floating point (try .float())" + NN_CARET,
         inputs={"a": torch.tensor([[1, 0, 0]])}),
    Case("no tensor", errors.NetworkOutputError,
         "p.pl:1:1: network 'net' returned list; nn(net, [X], Y, [0..2]) needs one tensor" + NN_CARET,
         inputs={"a": X}, networks={"net": lambda x: [1, 2]}),
    Case("a network that fails", errors.NetworkInputError,
         "p.pl:1:1: network 'net' failed on inputs of shape [2, 3] (torch.float32): mat1 and mat2 shapes cannot be "
         "multiplied (2x3 and 4x3)" + NN_CARET, inputs={"a": X}, networks={"net": torch.nn.Linear(4, 3)}),
    Case("placeholder without tensor", errors.MissingInputError,
         "p.pl:1:1: network 'net' needs a tensor for b, which is no input of this call; its inputs are: a" + NN_CARET,
         query="s(a, b, Z)", inputs={"a": X}),
    Case("an input of another name", errors.MissingInputError,
         "p.pl:1:1: network 'net' needs a tensor for image, which is no input of this call; its inputs are: imag; did you mean "
         "imag?" + NN_CARET, query="d(image, Z)", inputs={"imag": X}),
    Case("a source's item without a key", errors.NonGroundError,
         "p.pl:1:1: nn(net, [X], Y, [0..2]) is reached while X is not ground (it is tensor(train(_))); bind it in the body or "
         "in the query" + NN_CARET, query="d(tensor(train(N)), 1)"),
    Case("tensor without placeholder", errors.UnusedInputError,
         "the input 'bb' stands nowhere in the query, its evidence or the program; did you mean b?",
         query="s(a, b, Z)", inputs={"a": X, "b": X, "bb": X}),
    Case("batch sizes", errors.BatchSizeError,
         "the inputs' batch sizes disagree (a: 2, b: 3); they must be equal, or 1",
         query="s(a, b, Z)", inputs={"a": X, "b": torch.rand(3, 3)}),
    Case("a scalar", errors.InputError,
         "input 'a' is a scalar; give it a leading batch axis, e.g. with .reshape(1)", inputs={"a": torch.tensor(1.0)}),
    Case("a string", errors.InputError,
         "input 'a' is a str; give a tensor [batch, …], or for a network that takes Python values a list of them, one a row",
         inputs={"a": "hello"}),
    Case("values for a network of tensors", errors.InputError,
         "p.pl:1:1: network 'net' takes tensors, and is given 2 Python values ('good', 'bad'); if it takes Python values, say "
         "so: deepplp.Network(net, inputs='values')" + NN_CARET, inputs={"a": ["good", "bad"]}),
    Case("an example without a batch axis", errors.NetworkOutputError,
         "p.pl:1:1: network 'net' returned a tensor of shape [3], but nn(net, [X], Y, [0..2]) needs [3, 3]: its domain has 3 "
         "values; inputs are [batch, …], and one example gets its batch axis by .unsqueeze(0)" + NN_CARET,
         inputs={"a": torch.tensor([0.2, 0.3, 0.5])}),
    Case("an image without a batch axis", errors.NetworkInputError,
         "p.pl:1:1: network 'net' failed on inputs of shape [8, 8] (torch.float32): Expected 3D (unbatched) or 4D (batched) "
         "input to conv2d, but got input of size: [8, 8]; inputs are [batch, …], and one example gets its batch axis by "
         ".unsqueeze(0)" + NN_CARET, inputs={"a": torch.zeros(8, 8)}, networks={"net": torch.nn.Conv2d(1, 2, 3)}),
    Case("unknown predicate", errors.UnknownPredicateError, "no clauses for digit/2; the program defines no such predicate",
         query="digit(a, Z)", inputs={"a": X}),
    Case("wrong arity", errors.UnknownPredicateError, "no clauses for s/2; did you mean s/3?",
         query="s(a, b)", inputs={"a": X, "b": X}),
    Case("misspelt predicate in a body", errors.UnknownPredicateError,
         "p.pl:2:6: no clauses for patent/0; did you mean parent/0?\n    q :- patent.\n         ^",
         program="parent.\nq :- patent.", query="q"),
    Case("non-ground fact", errors.NonGroundError,
         "p.pl:1:6: the probabilistic clause for p/1 still holds a variable when it is reached; bind every variable of "
         "its head in its body, or call it with ground arguments\n    0.3::p(X).\n         ^",
         program="0.3::p(X).\nq :- p(Y).", query="q"),
    Case("non-ground input", errors.NonGroundError,
         "p.pl:1:1: nn(net, [X], Y, [0..2]) is reached while X is not ground; bind it in the body or in the query"
         + NN_CARET, query="d(X, 1)"),
    Case("negative cycle", errors.NegativeCycleError,
         "p.pl:1:9: this negation is part of a cycle, so the program has no single two-valued meaning: "
         "q(1) -> p(1) -> \\+ q(1) (by the clauses p.pl:2:1, p.pl:1:1)\n    p(X) :- \\+q(X).\n            ^",
         program="p(X) :- \\+q(X).\nq(X) :- p(X).", query="p(1)"),
    Case("a negative cycle through forall", errors.NegativeCycleError,
         "p.pl:2:1: this negation is part of a cycle, so the program has no single two-valued meaning: "
         "happy(ann) -> all -> forall(friend(A),happy(A)) -> \\+ happy(ann) (by the clauses p.pl:3:1, p.pl:2:1)\n"
         "    all :- forall(friend(X), happy(X)).\n    ^",
         program="friend(ann).\nall :- forall(friend(X), happy(X)).\nhappy(X) :- all.", query="all"),
    Case("contradictory evidence", errors.InconsistentEvidenceError,
         "p.pl:3:1: the evidence b contradicts the program: no world satisfies it\n    evidence(b).\n    ^",
         program="0.3::a.\nb :- a, \\+a.\nevidence(b).", query="a"),
    Case("evidence that contradicts itself", errors.InconsistentEvidenceError,
         "p.pl:5:1: the evidence b (p.pl:5:1), \\+a contradicts itself or the program: no world satisfies all of it\n"
         "    evidence(b).\n    ^",
         program="0.3::a.\n0.4::c.\nb :- a, c.\nevidence(c).\nevidence(b).", query="c", evidence={"a": False}),
    Case("contradictory rows", errors.InconsistentEvidenceError,
         "the evidence has probability 0 in rows 1, 2 of the batch, so nothing follows from it; check it against the "
         "program and the networks' outputs", inputs={"a": torch.eye(3)}, evidence={"d(a, 0)": True}),
    Case("evidence that is neither", errors.GroundingError,
         "p.pl:1:18: evidence(a, maybe): the second argument must be true or false\n"
         "    0.3::a. evidence(a,maybe).\n                     ^", program="0.3::a. evidence(a,maybe).", query="a"),
    Case("evidence that is not certain", errors.GroundingError,
         "p.pl:2:1: evidence(a) is stated by a rule whose body holds in some worlds alone; evidence is what is known: write a "
         "rule for an atom of its own, p :- body, and say evidence(p)\n    evidence(a) :- b.\n    ^",
         program="0.3::a. 0.4::b.\nevidence(a) :- b.", query="a"),
    Case("no query", errors.QueryError,
         "the program has no query/1; give the query, such as model.query('path(a, X)')", program="0.3::a.", query=None),
    Case("evidence that is no truth value", errors.QueryError,
         "the evidence for a must be True or False (1 or 0), or a tensor [batch] of truth values or probabilities, not 2",
         program="0.3::a.", query="a", evidence={"a": 2}),
    Case("probability above 1", errors.InvalidProbabilityError,
         "p.pl:1:6: the probability 1.3 of a is not between 0 and 1\n    1.3::a.\n         ^",
         program="1.3::a.", query="a"),
    Case("sum above 1", errors.InvalidProbabilityError,
         "p.pl:1:6: the probabilities of this annotated disjunction sum to 1.3, which is more than 1\n"
         "    0.7::a;0.6::b.\n         ^", program="0.7::a;0.6::b.", query="a"),
    Case("no number", errors.InvalidProbabilityError,
         "p.pl:1:6: the probability foo of a is not a number\n    foo::a.\n         ^", program="foo::a.", query="a"),
    Case("a value twice", errors.DomainError,
         "p.pl:1:1: the domain of nn(net, [X], Y, [0, 1, 0]) holds 0 twice\n    nn(net,[X],Y,[0,1,0])::a(X,Y).\n    ^",
         program="nn(net,[X],Y,[0,1,0])::a(X,Y).", query="a(i,Y)", inputs={"i": X}),
    Case("an empty domain", errors.DomainError,
         "p.pl:1:1: the domain of nn(net, [X], Y, []) is empty\n    nn(net,[X],Y,[])::a(X,Y).\n    ^",
         program="nn(net,[X],Y,[])::a(X,Y).", query="a(i,Y)", inputs={"i": X}),
    Case("a range of atoms", errors.DomainError,
         "p.pl:1:1: the bounds of a range must be integers, not a, in nn(net, [X], Y, [a..z])\n"
         "    nn(net,[X],Y,[a..z])::a(X,Y).\n    ^",
         program="nn(net,[X],Y,[a..z])::a(X,Y).", query="a(i,Y)", inputs={"i": X}),
    Case("an unbound domain", errors.NonGroundError,
         "p.pl:1:1: the domain of nn(net, [X], Y, D) must be a list of ground values such as [0..9], bound in the body "
         "if it is a variable\n    nn(net,[X],Y,D)::a(X,Y).\n    ^",
         program="nn(net,[X],Y,D)::a(X,Y).", query="a(i,Y)", inputs={"i": X}),
    Case("Python", errors.PythonNotAllowedError,
         "p.pl:1:4: use_module(library(db)) would run Python code; allow it with allow_python=True (--allow-python) if you "
         "trust this program\n    :- use_module(library(db)).\n       ^", program=":- use_module(library(db)).\na.", query="a"),
    Case("arithmetic on an atom", errors.NoValueError,
         "p.pl:1:11: this arithmetic has no value: foo is no number\n    a(X) :- X is foo+1.\n"
         "              ^", program="a(X) :- X is foo+1.", query="a(X)"),
    Case("arithmetic with a variable", errors.NoValueError,
         "p.pl:1:11: this arithmetic has no value: Y is not bound when it is reached; bind it in a goal before this one\n"
         "    a(X) :- X is Y+1, Y = 2.\n              ^", program="a(X) :- X is Y+1, Y = 2.", query="a(X)"),
    Case("division by zero", errors.NoValueError,
         "p.pl:2:17: this arithmetic has no value: 6/0 divides by zero (here Y = 0)\n    a(X) :- b(Y), X is 6/Y.\n"
         "                    ^", program="b(0).\na(X) :- b(Y), X is 6/Y.", query="a(X)"),
    Case("a comparison of vectors", errors.InputError,
         "p.pl:1:15: t has the shape [2, 3], where arithmetic and comparisons need one number a row, [batch] or [batch, 1]; "
         "tensor_index(T, 0, X) takes an entry\n    fever(X) :- X > 38.5.\n                  ^",
         program="fever(X) :- X > 38.5.", query="fever(t)", inputs={"t": X}),
    Case("a comparison of NaN", errors.InputError,
         "p.pl:1:15: t is NaN in row 1, which is neither above nor below nor equal to a number; fill such rows in, or leave "
         "them out\n    fever(X) :- X > 38.5.\n                  ^",
         program="fever(X) :- X > 38.5.", query="fever(t)", inputs={"t": torch.tensor([36.5, float("nan")])}),
    Case("a threshold that is NaN", errors.NoValueError,
         "p.pl:1:15: this arithmetic has no value: nan is NaN, which is neither above nor below nor equal to a number\n"
         "    fever(X) :- X > nan.\n                  ^",
         program="fever(X) :- X > nan.", query="fever(t)", inputs={"t": torch.tensor([36.5, 39.0])}),
    Case("a division of tensors by zero", errors.InputError,
         "p.pl:1:19: this arithmetic divides by zero in row 1, so that it has no value there\n"
         "    late(X) :- 10 / X > 3.\n                      ^",
         program="late(X) :- 10 / X > 3.", query="late(t)", inputs={"t": torch.tensor([2.0, 0.0])}),
    Case("a function that tensors do not have", errors.NoValueError,
         "p.pl:1:17: this arithmetic has no value: sin(t) is no arithmetic of tensors, which has *, **, +, -, /, ^, abs, exp, "
         "log, max, min, sqrt; a network (nn/3) may compute anything else\n    up(X) :- sin(X) > 0.\n                    ^",
         program="up(X) :- sin(X) > 0.", query="up(t)", inputs={"t": torch.tensor([1.0])}),
    Case("a width of 0", errors.GroundingError,
         "p.pl:1:13: the width 0 of above(t,38.5,0) must be a number above 0: it says over which distance from the threshold "
         "the probability changes; without one, compare: T > Threshold\n    fever(X) :- above(X, 38.5, 0).\n                ^",
         program="fever(X) :- above(X, 38.5, 0).", query="fever(t)", inputs={"t": torch.tensor([36.5, 39.0])}),
    Case("a width that is a tensor of zeros", errors.InputError,
         "p.pl:1:16: this goal has the width 0 in row 1; a width is a finite number above 0, and one that is learnt stays so as "
         "exp(param(width, 0))\n"
         "    fever(X, W) :- above(X, 38.5, W).\n                   ^",
         program="fever(X, W) :- above(X, 38.5, W).", query="fever(t, w)",
         inputs={"t": torch.tensor([36.5, 39.0]), "w": torch.tensor([1.0, 0.0])}),
    Case("a learnt number that starts twice", errors.ProgramError,
         "p.pl:2:16: param(theta,39) starts at 39, and at p.pl:1:16 at 38: a number that is learnt starts at one value; write "
         "the same one, or take another name\n    high(X) :- X > param(theta, 39).\n                   ^",
         program="warm(X) :- X > param(theta, 38).\nhigh(X) :- X > param(theta, 39).", query="warm(t)",
         inputs={"t": torch.tensor([36.5])}),
    Case("a learnt number without a start", errors.NoValueError,
         "p.pl:1:14: this arithmetic has no value: param(theta,start) is no number; a learnt number is param(Name, Number), an "
         "atom and the number that it starts at: param(theta, 38.5)\n    warm(X) :- X > param(theta, start).\n                 ^",
         program="warm(X) :- X > param(theta, start).", query="warm(t)", inputs={"t": torch.tensor([36.5])}),
    Case("a built-in's argument", errors.GroundingError,
         "p.pl:1:9: argument 2 (N) of between/3 is not bound when it is reached; it must be an integer\n"
         "    a(X) :- between(1, N, X).\n            ^", program="a(X) :- between(1, N, X).", query="a(X)"),
    Case("a built-in's clause", errors.ProgramError,
         "p.pl:2:1: can not overwrite built-in 'true/0'; give the predicate another name\n    true :- a.\n    ^", program="a.\ntrue :- a.", query="a"),
    Case("if-then-else", errors.UnsupportedConstructError,
         "p.pl:1:12: ProbLog has no if-then-else; write (a, X=1 ; \\+ a, X=2)\n"
         "    q(X) :- (a -> X = 1 ; X = 2).\n               ^",
         program="q(X) :- (a -> X = 1 ; X = 2).\n0.3::a.", query="q(X)"),
    Case("a cut", errors.UnsupportedConstructError,
         "p.pl:2:9: the cut ! has no meaning in a probabilistic program, where a clause holds in some worlds and not in "
         "others; make the clauses exclude each other with \\+, or use library(cut)\n    q :- a, !.\n            ^",
         program="0.3::a.\nq :- a, !.", query="q"),
    Case("a predicate that ProbLog does not have", errors.UnknownPredicateError,
         "p.pl:2:9: ProbLog has no bagof/3; all/3 collects answers and fails where there are none\n"
         "    q(L) :- bagof(X, p(X), L).\n            ^", program="p(1).\nq(L) :- bagof(X, p(X), L).", query="q(L)"),
    Case("a predicate that keeps pairs", errors.UnknownPredicateError,
         "p.pl:1:9: ProbLog has no list_to_assoc/2; keep pairs Key-Value in a list; member(Key-Value, Pairs) finds a value\n"
         "    q(A) :- list_to_assoc([a-1], A).\n            ^", program="q(A) :- list_to_assoc([a-1], A).", query="q(A)"),
    Case("a predicate of a library", errors.UnknownPredicateError,
         "p.pl:1:6: assertz/1 is a predicate of library(assert): ':- use_module(library(assert)).'\n"
         "    q :- assertz(a).\n         ^", program="q :- assertz(a).", query="q"),
    Case("a library that does not exist", errors.ProgramFileError,
         "p.pl:1:4: there is no library(nowhere); ProbLog has: aggregate, apply, aproblog, assert, collect, control, cut, db, "
         "lists, nlp4plp, record, scope, string\n    :- use_module(library(nowhere)).\n       ^",
         program=":- use_module(library(nowhere)).\na.", query="a"),
    Case("a list that depends on itself", errors.GroundingError,
         "p.pl:2:9: findall/3 collects the answers of p(_) while these are being found: they depend on themselves; collect "
         "the answers of a goal that does not lead back to this call of findall/3\n"
         "    p(N) :- findall(X, p(X), L), length(L, N).\n            ^",
         program="p(1).\np(N) :- findall(X, p(X), L), length(L, N).", query="p(N)"),
    Case("answers without end", errors.BudgetExceededError,
         "p.pl:2:1: word(_) seems to go on without end: what it makes of itself grows, and has come to word([a, a, a | …]); "
         "bound it by a comparison, bind more of its arguments before it is called, or allow more by a budget without a limit "
         "of nodes\n    word([a|W]) :- word(W).\n    ^",
         program="word([]).\nword([a|W]) :- word(W).", query="word(W)"),
    Case("more lists than can be made", errors.BudgetExceededError,
         "p.pl:2:9: the 20 answers that are collected here make too many lists, one for each set of them that may hold: the "
         "search for them took 65536 steps. Bind more of the goal's arguments, or count without a list: "
         "aggregate_all(count, Goal, N)\n    n(L) :- findall(X, p(X), L).\n            ^",
         program="0.5::p(X) :- between(1, 20, X).\nn(L) :- findall(X, p(X), L).", query="n(L)"),
    Case("an aggregate that there is not", errors.GroundingError,
         "p.pl:2:9: aggregate_all/3 takes count, sum(X), avg(X), max(X), min(X), max(X, Witness) and min(X, Witness), not "
         "median(_); findall/3 lists what bag(X) or set(X) would\n"
         "    n(N) :- aggregate_all(median(X), p(X), N).\n            ^",
         program="0.5::p(1).\nn(N) :- aggregate_all(median(X), p(X), N).", query="n(N)"),
    Case("a count of what is not bound", errors.NonGroundError,
         "p.pl:2:12: aggregate_all/3 is reached while Y is not bound, which other goals of this clause share: bind it in a "
         "goal before, or give the goal of aggregate_all/3 a variable of its own\n"
         "    n(Y, N) :- aggregate_all(count, p(_, Y), N).\n               ^",
         program="0.5::p(1, a). 0.5::p(2, b).\nn(Y, N) :- aggregate_all(count, p(_, Y), N).", query="n(Y, N)"),
    Case("a count of any number", errors.NonGroundError,
         "p.pl:2:9: aggregate_all/3 counts a solution of p(_) that leaves X unbound, and stands for any number of them; "
         "bind X in the goal\n    n(N) :- aggregate_all(count, p(X), N).\n            ^",
         program="0.5::a. p(_) :- a.\nn(N) :- aggregate_all(count, p(X), N).", query="n(N)"),
    Case("a sum of what is no number", errors.NoValueError,
         "p.pl:2:9: sum_list/2 adds up numbers, and ann is no number\n"
         "    n(N) :- findall(X, p(X), L), sum_list(L, N).\n            ^",
         program="0.5::p(1). 0.5::p(ann).\nn(N) :- findall(X, p(X), L), sum_list(L, N).", query="n(N)"),
    Case("a number below 0", errors.GroundingError,
         "p.pl:2:6: the first argument of at_least/2 is how many hold, from 0 on, not -1\n"
         "    q :- at_least(-1, p(_)).\n         ^",
         program="0.5::p(1).\nq :- at_least(-1, p(_)).", query="q"),
    Case("no goals", errors.GroundingError,
         "p.pl:2:6: exactly/2 takes a goal, or a list of goals whose end is known, not 3\n"
         "    q :- exactly(1, 3).\n         ^",
         program="0.5::p(1).\nq :- exactly(1, 3).", query="q"),
    Case("sums without end", errors.BudgetExceededError,
         "p.pl:2:9: aggregate_all/3 may come to more than 65536 values for the 20 solutions of this goal; bind more of the "
         "goal's arguments, or round what is added up\n    n(N) :- aggregate_all(sum(3 ** X), p(X), N).\n            ^",
         program="0.5::p(X) :- between(1, 20, X).\nn(N) :- aggregate_all(sum(3 ** X), p(X), N).", query="n(N)"),
    Case("an answer with a variable", errors.NonGroundError,
         "p.pl:2:1: the query q(X) has the answer q(_), which still holds a variable but is not certain; nothing binds X in "
         "this clause; bind it in the query or here\n    q(X) :- a.\n    ^", program="0.3::a.\nq(X) :- a.", query="q(X)"),
    Case("a negation of a free variable", errors.NonGroundError,
         "p.pl:2:1: the query q(X) has the answer q(_), which still holds a variable but is not certain; X stands in a "
         "negation alone, which binds nothing: bind it in a goal before\n    q(X) :- \\+ a(X).\n    ^",
         program="0.3::a(1).\nq(X) :- \\+ a(X).", query="q(X)"),
    Case("a subquery of what is learnt", errors.UnsupportedConstructError,
         "p.pl:2:6: subquery/2 makes a number of P(a), which depends on a network or a learnable probability: no gradient "
         "could flow through it. Use the goal itself, or evidence\n    q :- subquery(a, P), P > 0.2.\n         ^",
         program="t(0.3)::a.\nq :- subquery(a, P), P > 0.2.", query="q"),
    Case("a call of a variable", errors.NonGroundError,
         "p.pl:1:9: call/1 is reached while its goal is not bound; bind it before the call\n"
         "    q(X) :- call(X), X = a.\n            ^", program="q(X) :- call(X), X = a.\na.", query="q(X)"),
    Case("a query of a wrong type", errors.QueryError,
         "a query is a text such as 'addition(a, b, S)', or a list of them, not 3", query=3),
    Case("a conjunction", errors.ProgramSyntaxError,
         "<query>:1:1: expected one atom, such as addition(a, b, S); a conjunction needs a rule of the program as its "
         "name\n    a, b\n    ^", query="a, b"),
    Case("an unfinished query", errors.ProgramSyntaxError, "<query>:1:2: '(' has no partner\n    s(a, b\n     ^", query="s(a, b"),
    Case("value for a network of tensors", errors.MissingInputError,
         "p.pl:1:1: network 'net' needs a tensor for word, which is no input of this call; its inputs are: none; if net "
         "takes such terms as they are, say so: deepplp.Network(net, inputs='values')\n"
         "    nn(net, [X]) :: p(X).\n    ^",
         program="nn(net, [X]) :: p(X).", query="p(word)"),
    Case("list of tensors and values", errors.InputError,
         "p.pl:1:1: the list [a, 3] for network 'net' mixes tensors and values; give them as arguments of their own\n"
         "    nn(net, [L]) :: p(L).\n    ^",
         program="nn(net, [L]) :: p(L).", query="p([a, 3])", inputs={"a": X},
         networks={"net": deepplp.Network(identity, inputs="values")}),
    Case("tensor function of numbers", errors.UnknownPredicateError,
         "p.pl:1:9: no clauses for add/3; there is a tensor function of this name, but 1 and 2 are no tensors\n"
         "    q(Z) :- add(1, 2, Z).\n            ^",
         program="q(Z) :- add(1, 2, Z).", query="q(Z)"),
    Case("tensors that are no numbers to compare", errors.InputError,
         "p.pl:2:12: a has the shape [2, 3], where arithmetic and comparisons need one number a row, [batch] or [batch, 1]; "
         "tensor_index(T, 0, X) takes an entry\n"
         "    less(A) :- less_than(A, A).\n               ^",
         program="0.5::p.\nless(A) :- less_than(A, A).", query="less(a)", inputs={"a": X}),
    Case("tensor function of tensors that do not fit", errors.NetworkInputError,
         "p.pl:1:6: rbf failed on [1, 2], [1, 3]: rbf needs tensors of one shape, not [1, 2] and [1, 3]\n"
         "    P :: near(A, B) :- rbf(A, B, P).\n         ^",
         program="P :: near(A, B) :- rbf(A, B, P).", query="near(a, b)",
         inputs={"a": torch.zeros(1, 2), "b": torch.zeros(1, 3)}),
    Case("tensor that is no probability", errors.NetworkOutputError,
         "p.pl:1:6: the probability 1.5 of p(a) in row 1, which a tensor gives, must be between 0 and 1\n"
         "    P :: p(A) :- mul(A, 1.0, P).\n         ^",
         program="P :: p(A) :- mul(A, 1.0, P).", query="p(a)", inputs={"a": torch.tensor([0.5, 1.5])}),
    Case("a query of another system's shell", errors.ProgramSyntaxError,
         "<query>:1:1: a query is its atom alone, without ?-: d(a,0)\n    ?- d(a, 0).\n    ^", query="?- d(a, 0)."),
    Case("a parameter without its parentheses", errors.InvalidProbabilityError,
         "p.pl:1:4: the probability t of a is not a number; a learnable probability is t(0.5), or t(_)\n"
         "    t::a.\n       ^", program="t::a.", query="a"),
    Case("a domain with a minus sign", errors.DomainError,
         "p.pl:1:1: the domain of nn(net, [X], Y, [0-2]) is the one term 0-2; a range is 0..2\n"
         "    nn(net, [X], Y, [0-2]) :: d(X, Y).\n    ^",
         program="nn(net, [X], Y, [0-2]) :: d(X, Y).", inputs={"a": X}),
    Case("a recursion that counts down for ever", errors.BudgetExceededError,
         "p.pl:1:22: more than 250000 goals wait for this one, f(-249998,_): its recursion does not end, or is too deep; "
         "where it counts down, a goal such as N > 0 before the call ends it\n"
         "    f(N, X) :- M is N-1, f(M, X).\n                         ^",
         program="f(N, X) :- M is N-1, f(M, X).\nf(0, done).", query="f(3, X)"),
    Case("an input with the name of a variable", errors.InputError,
         "Image is a variable in the query, which stands for no input; an input's name begins with a small letter: image, "
         "given as {'image': …}", query="d(Image, Y)", inputs={"Image": X}),
    Case("an input that is not given", errors.NoValueError,
         "p.pl:1:15: this arithmetic has no value: temp is no number (here X = temp); if it stands for a tensor, give it to "
         "the call: inputs {'temp': …}\n    fever(X) :- X > 38.5.\n                  ^",
         program="fever(X) :- X > 38.5.", query="fever(temp)", inputs={"t": torch.tensor([39.0])}),
    Case("a list in place of the inputs", errors.InputError,
         "inputs is a mapping from names to tensors, not a list", inputs=[X]),  # type: ignore[arg-type]
    Case("a forgotten network", errors.UnknownNetworkError,
         "p.pl:1:1: no network 'net' for nn(net, [X], Y, [0..2]); this model has: none; give it as "
         "networks={'net': module}" + NN_CARET, networks={}),
    Case("numbers of another type", errors.NetworkInputError,
         "p.pl:1:1: network 'net' failed on inputs of shape [2, 3] (torch.float64): mat1 and mat2 must have the same dtype, "
         "but got Double and Float; the input is torch.float64: give torch.float32, by .to(torch.float32)" + NN_CARET,
         inputs={"a": X.double()}, networks={"net": torch.nn.Linear(3, 3)}),
    Case("a softmax of one example without a batch axis", errors.NetworkInputError,
         "p.pl:1:1: network 'net' failed on inputs of shape [3] (torch.float32): Dimension out of range (expected to be in "
         "range of [-1, 0], but got 1); inputs are [batch, …], and one example gets its batch axis by .unsqueeze(0)"
         + NN_CARET, inputs={"a": X[0]}, networks={"net": torch.nn.Softmax(dim=1)}),
    Case("a softmax over the batch", errors.NetworkOutputError,
         "p.pl:1:1: network 'net', input a, row 0: the output [0.5, 0.5, 0.5] read as probabilities for "
         "nn(net, [X], Y, [0..2]) does not sum to one, but each column over the rows of the batch does: the softmax is "
         "over values, Softmax(dim=1)" + NN_CARET, inputs={"a": torch.zeros(2, 3)},
         networks={"net": torch.nn.Softmax(dim=0)}),
    Case("a term that is no answer", errors.UnknownAnswerError,
         "'s(a, b, 7)' is not among the 5 answers; did you mean s(a,b,4) or s(a,b,3) or s(a,b,2)?",
         query="s(a, b, Z)", inputs={"a": X, "b": X}, then="['s(a, b, 7)']"),
    Case("a target that no world proves", errors.ImpossibleTargetError,
         "the target s(a,a,3) of row 1 holds in no world, whatever the networks say, so nothing can be learnt from it; check "
         "it against the program and the evidence, or pass impossible='ignore' for -inf with a gradient of zero",
         query="s(a, a, Z)", inputs={"a": X}, then=".log_prob(['s(a, a, 2)', 's(a, a, 3)'])"),
    Case("targets for another batch", errors.TargetError, "targets have shape [1]; the batch needs [2], one a row",
         query="s(a, b, Z)", inputs={"a": X, "b": X}, then=".log_prob([3])"),
    Case("several rows as one dictionary", errors.QueryError,
         "the batch has 2 rows; say which one, counted from 0: answers.to_dict(row)",
         query="s(a, b, Z)", inputs={"a": X, "b": X}, then=".to_dict()"),
    Case("the most probable of no answers", errors.QueryError, "there are no answers, so none is most probable",
         program="p(X) :- q(X), X > 3.\n0.3::q(1).", query="p(X)", then=".argmax()"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_message(case: Case) -> None:
    """A mistake raises its own error, with exactly this text."""
    program = deepplp.Program.from_string(case.program, "p.pl")
    networks = case.networks if case.networks is not None else dict.fromkeys(program.networks, identity)

    def make_the_mistake() -> None:
        answers = deepplp.Model(program, networks).query(case.query, case.inputs, evidence=case.evidence)  # type: ignore[arg-type]
        eval(f"answers{case.then}", {"answers": answers})

    with pytest.raises(DeepPLPError) as caught:
        make_the_mistake()
    assert type(caught.value) is case.error
    assert str(caught.value) == case.message


def test_no_message_is_a_bare_exception_of_others() -> None:
    """Every case of this table is one of our errors, and every leaf of the table is exported."""
    for case in CASES:
        assert case.error.__name__ in errors.__all__


@pytest.mark.parametrize("given", [{"inputs": X}, {"evidence": X}, {"inputs": X.numpy()}])
def test_a_tensor_in_place_of_a_mapping(given: dict[str, object]) -> None:
    """A tensor is not asked whether it is true, which torch refuses; the error says what a mapping is."""
    model = deepplp.Model(deepplp.Program.from_string(DIGITS), {"net": identity})
    with pytest.raises(DeepPLPError, match=r"^(inputs|evidence) is a mapping .* not a (Tensor|ndarray)$"):
        model.query("d(a, Z)", **given)  # type: ignore[arg-type]
    with pytest.raises(DeepPLPError, match=r"is a mapping .* not a (Tensor|ndarray)"):
        model.query_many([deepplp.Query("d(a, Z)", **given)])  # type: ignore[arg-type]


def test_a_cache_that_is_no_folder() -> None:
    """What is no folder is refused with what there is to choose."""
    with pytest.raises(errors.QueryError, match=r"^cache is a folder, or False for none, not 3$"):
        deepplp.Model(deepplp.Program.from_string("a."), cache=3)  # type: ignore[arg-type]


def test_networks_that_are_never_used() -> None:
    """A network that the program never mentions is a warning that names it."""
    with pytest.warns(errors.UnusedNetworkWarning, match=r"network 'other' is never used: p\.pl mentions: net"):
        deepplp.Model(deepplp.Program.from_string(DIGITS, "p.pl"), {"net": identity, "other": identity})


def test_rows_of_contradictory_evidence_are_numbers() -> None:
    """The rows whose evidence is impossible can be read from the error."""
    model = deepplp.Model(deepplp.Program.from_string(DIGITS), {"net": identity})
    with pytest.raises(errors.InconsistentEvidenceError) as caught:
        model.query("d(a, Z)", {"a": torch.eye(3)}, evidence={"d(a, 1)": True})
    assert caught.value.rows == (0, 2)


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        (torch.tensor([1.0, 2.0]), "targets are indices of answers, so integers, not torch.float32"),
        (torch.tensor([1]), "targets have shape [1]; the batch needs [2], one a row"),
        (torch.tensor([0, 99]), "target 99 is no answer: there are 5, counted from 0"),
        (torch.tensor([-100, 0]), "target -100 is no answer: there are 5, counted from 0"),
        (["s(a,b,1)", "s(a,b,7)"], "'s(a,b,7)' is not among the 5 answers; did you mean"),
        ([object()], "targets must be a tensor of answer indices, or a list of terms"),
    ],
)
def test_targets(targets: object, message: str) -> None:
    """Targets that name no answer are refused, -100 too, which torch would ignore."""
    answers = deepplp.Model(deepplp.Program.from_string(DIGITS), {"net": identity}).query(
        "s(a, b, Z)", {"a": X, "b": X}
    )
    with pytest.raises(errors.TargetError) as caught:
        answers.log_prob(targets)  # type: ignore[arg-type]
    assert str(caught.value).startswith(message)


def test_no_answers_are_no_error() -> None:
    """A query without answers gives an empty, well-shaped result; a ground one that has no proof gives probability 0."""
    model = deepplp.Model(deepplp.Program.from_string("a(X) :- b(X), X > 3. 0.2::b(1)."))
    answers = model.query("a(X)")
    assert answers.terms == ()
    assert answers.log_probs.shape == answers.probs.shape == (1, 0)
    assert answers.unanswered == ("a(X)",)
    assert model.query("a(7)").probs.tolist() == [[0.0]]


@pytest.mark.parametrize("text", ["0.3::a.", "0.3::a.\nb :- a.\n", "0.3::a. " * 1000])
@pytest.mark.parametrize("call", [deepplp.Model, deepplp.Program.from_file, deepplp.probabilities])
def test_a_text_in_place_of_a_file(text: str, call: Callable[[str], object]) -> None:
    """A program's text where its file is wanted is told by a short message that says how to give a text."""
    with pytest.raises(
        errors.ProgramFileError, match=r"'0.3::a.*is a program's text.*Program.from_string\(text\)"
    ) as caught:
        call(text)
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot read {}: No such file or directory"),
        (b"a :- b.\xff", "{}:1:8: byte 0xff is no UTF-8 text; save the file in UTF-8\n    a :- b.\ufffd\n           ^"),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, content: bytes | None, message: str) -> None:
    """A file that is missing or no text is named."""
    path = tmp_path / "p.pl"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(errors.ProgramFileError) as caught:
        deepplp.Program.from_file(path)
    assert str(caught.value) == message.format(path)


def test_line_ends_and_byte_order_marks(tmp_path: Path) -> None:
    """Files from Windows are read as any other."""
    path = tmp_path / "p.pl"
    path.write_bytes(b"\xef\xbb\xbf0.3::a.\r\nquery(a).\r\n")
    assert deepplp.Model(path).query().probs.tolist() == [[pytest.approx(0.3)]]


def test_errors_in_consulted_files_name_them(tmp_path: Path) -> None:
    """An error in a consulted file carries that file's name, line and column."""
    (tmp_path / "b.pl").write_text("b(1).\nc(X) :- b(X), missing(X).\n")
    main = tmp_path / "a.pl"
    main.write_text(":- consult('b.pl').\na(X) :- c(X).\n")
    with pytest.raises(errors.UnknownPredicateError, match=r"b\.pl:2:15: no clauses for missing/1"):
        deepplp.Model(main).query("a(X)")


def test_consulted_files_are_part_of_the_program(tmp_path: Path) -> None:
    """Consulted files may hold networks, ranges and parameters, consult each other, and err with their own places."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "main.pl").write_text(":- consult('sub/lib').\nq(X) :- p(X).\nquery(q(_)).\n")
    (tmp_path / "sub" / "lib.pl").write_text(":- consult('deep.pl').\nt(0.4)::p(2).\np(X) :- d(i, X).\n")
    deep = tmp_path / "sub" / "deep.pl"
    deep.write_text(":- consult('lib.pl').\nnn(net, [X], Y, [0..2]) :: d(X, Y).\n")
    program = deepplp.Program.from_file(tmp_path / "main.pl")
    model = deepplp.Model(program, {"net": identity})
    answers = model.query(None, {"i": torch.tensor([[0.5, 0.25, 0.25]])})
    assert dict(zip(answers.terms, answers.probs[0].tolist(), strict=True)) == pytest.approx(
        {"q(0)": 0.5, "q(1)": 0.25, "q(2)": 1 - 0.75 * 0.6}
    )
    written = model.learned_program()
    assert "0.4::p(2)." in written
    assert "nn(net, [X], Y, [0..2]) :: d(X, Y)." in written
    assert "consult" not in written
    deep.write_text("a.\nx :- .\n")
    with pytest.raises(errors.ProgramSyntaxError, match=r"deep\.pl:2:3: "):
        deepplp.Program.from_file(tmp_path / "main.pl")
    deep.unlink()
    with pytest.raises(errors.ProgramFileError, match=r"lib\.pl:1:1: cannot read deep\.pl: there is no file"):
        deepplp.Program.from_file(tmp_path / "main.pl")


def test_errors_in_a_query_point_into_no_file() -> None:
    """A query stands in no file, so that an error in it carries no place of the program."""
    model = deepplp.Model(deepplp.Program.from_string("r(1). p(X, Y) :- r(X), a. 0.3::a."))
    with pytest.raises(errors.UnknownPredicateError) as caught:
        model.query("q(A, B)")
    assert caught.value.position is None


def test_allow_python(tmp_path: Path) -> None:
    """A program's Python file is run only where the caller allows it."""
    (tmp_path / "twice.py").write_text(
        "from problog.extern import problog_export\n@problog_export('+int', '-int')\ndef twice(x):\n    return 2 * x\n"
    )
    main = tmp_path / "a.pl"
    main.write_text(":- use_module('twice.py').\na(X) :- twice(3, X).\n")
    with pytest.raises(errors.PythonNotAllowedError):
        deepplp.Model(main).query("a(X)")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # importlib's words about how ProbLog loads modules
        assert deepplp.Model(main, allow_python=True).query("a(X)").terms == ("a(6)",)


def test_predicates_of_ones_own_that_are_named_like_questions() -> None:
    """query/2 and evidence/3 that rules call are the program's own, and ``query.`` asks nothing; facts are looked at."""
    text = "0.3::query(a, b). 0.5::evidence(a, b, c). q(X) :- query(X, Y), evidence(X, Y, _). query. query(q(_))."
    model = deepplp.Model(deepplp.Program.from_string(text))
    assert model.query().to_dict() == {"q(a)": pytest.approx(0.15)}
    with pytest.raises(errors.ProgramSyntaxError, match="query/3 asks nothing"):
        model.query("q(X)", facts="query(a, b, c).")
    for head in (
        "evidence(a, b, c, d)",
        "0.3::query(a, b, c)",
        "0.1::x; 0.2::query(a, b, c)",
        "query(a, b, c) :- q(a)",
    ):
        with pytest.raises(errors.ProgramSyntaxError, match=r"<string>:1:103: .* (asks|observes) nothing"):
            deepplp.Program.from_string(f"{text} {head}.")


def test_deep_terms() -> None:
    """Lists of thousands of items and deeply nested terms are handled, or refused by name."""
    model = deepplp.Model(deepplp.Program.from_string("len([], 0). len([_|T], N) :- len(T, M), N is M + 1. p(_)."))
    assert model.query(f"len([{','.join('a' * 2000)}], N)").terms[0].endswith(",2000)")
    assert len(model.query("p(" + "f(" * 3000 + "a" + ")" * 3000 + ")")) == 1


def test_a_model_goes_on_after_an_error() -> None:
    """A query that failed leaves no trace in the next one."""
    model = deepplp.Model(deepplp.Program.from_string("0.3::a. q :- a, missing. r :- a. p :- \\+p."))
    for _ in range(2):
        with pytest.raises(errors.UnknownPredicateError):
            model.query("q")
        with pytest.raises(errors.NegativeCycleError):
            model.query("p")
        assert model.query("r").probs.tolist() == [[pytest.approx(0.3)]]


PAGE_HEADER = """# Errors

Every error stands in `deepplp.errors`, is a leaf of `deepplp.DeepPLPError`, and says where, what, and what instead. This page
pairs each message with a program and a call that raise it; a test replays it, and `python -m tests.test_errors > docs/errors.md`
writes it anew.

In Python, `error.message` is the text without its place and `error.position` the place (file, line, column). On the command
line, an error goes to standard error and the exit status is 1; `deepplp check FILE.pl` finds what can be found without
running anything, all at once.

## Of the text
"""


def errors_page() -> str:
    """The documentation of errors: the cases of this file, each with what raises it."""
    lines = [PAGE_HEADER]
    for name, text, message in SYNTAX:
        lines += [f"### {name[0].upper()}{name[1:]}", "", "```prolog", text, "```", "", "```text", message, "```", ""]
    lines += ["## Of models and queries", ""]
    for case in CASES:
        lines += [f"### {case.name[0].upper()}{case.name[1:]}: `{case.error.__name__}`", "", "```prolog"]
        lines += [case.program.rstrip("\n"), "```", ""]
        asked = (
            f"model.query({case.query!r}"
            + (", …" if case.inputs else "")
            + (f", evidence={dict(case.evidence)!r})" if case.evidence else ")")
        )
        lines += [f"`{asked}{case.then}`", "", "```text", case.message, "```", ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def test_errors_page() -> None:
    """docs/errors.md shows exactly the errors that this file raises."""
    page = Path(__file__).parent.parent / "docs" / "errors.md"
    assert page.read_text() == errors_page(), "write it anew: python -m tests.test_errors > docs/errors.md"


if __name__ == "__main__":
    print(errors_page(), end="")
