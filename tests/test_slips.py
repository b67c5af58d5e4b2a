r"""What people write in place of ProbLog's own signs is an error of its own: where it stands, and what is meant."""

from __future__ import annotations

from pathlib import Path

import pytest

import deepplp
from deepplp import errors

SLIPS = [
    ("q(X) :- a, X != 1.", "1:14: != is no operator"),
    ("q(X) :- X =! 1.", "1:11: =! is no operator"),
    ("q(X) :- X === 1.", "1:11: === is no operator; write X == Y"),
    ("q(X) :- p(Y), X += Y.", "1:17: += is no operator; a variable keeps its value"),
    ("q(X) :- p(X), X <= 1.", "1:17: <= is no operator; at most is =<"),
    ("q(X) :- p(X), X <> 1.", "1:17: <> is no operator"),
    ("q(X) :- p(X) && X > 1.", "1:14: && is no operator; and is a comma"),
    ("q(X) :- p(X) || X > 1.", "1:14: || is no operator; or is a semicolon"),
    ("a ==> b.", "1:3: ==> is no operator"),
    ("a := b.", "1:3: := is no operator"),
    ("a =: b.", "1:3: =: is no operator; =:= compares numbers"),
    ("a -: b.", "1:3: -: is no operator; a rule is head :- body"),
    ("a : - b.", "1:1: no blank stands in :-, and a rule is a :- b"),
    ("a ::- b.", "1:1: ::- is no operator; a rule is a :- b"),
    ("even(X) :- p(X), 0 is X % 2.\np(1).", "1:25: % begins a comment; the remainder is mod"),
    ("even(X) :- p(X), X % 2 =:= 0.\np(1).", "1:20: % begins a comment; the remainder is mod"),
    ("q(Y) :- p(X, Z), Y is (X + 1) % Z, Y > 0.\np(1, 2).", "1:31: % begins a comment; the remainder is mod"),
    ("q(X) :- X is 2 + (7 % 4).", "1:21: % begins a comment; the remainder is mod"),
    ("30%::a.", "1:3: % begins a comment; a probability is a number from 0 to 1: 0.3"),
    ("12.5 % :: a.\nb.", "1:6: % begins a comment; a probability is a number from 0 to 1: 0.125"),
    ("a :- b   % 3 b are missing.\nc.", "2:1: the statement before this, which ends in line 1, has no full stop"),
    ("query(a;b). a. b.", "1:8: query is of one atom: give a;b a name by a rule, such as p :- a;b"),
    ("evidence(c, (a)). evidence(a ; b, true).", "1:30: evidence is of one atom: give a ; b a name by a rule"),
    ("q(L) :- findall(X, p(X);r(X), L).", "1:24: p(X);r(X) as an argument stands in parentheses of its own"),
    ("q(X) :- X = f(c, a -> b).", "1:20: a -> b as an argument stands in parentheses of its own: (a -> b)"),
    ("q :- assertz(a :- b).", "1:16: a :- b as an argument stands in parentheses of its own: (a :- b)"),
    ("a => b.", "1:1: a=>b is a fact about =>; a rule has its head first: b :- a"),
    ("a -> b.", "1:1: a->b is a fact about ->; a rule has its head first: b :- a"),
    ("a *-> b.", "1:1: a*->b is a fact about *->; a rule has its head first: b :- a"),
    ("0.3::a -> b.", "1:1: 0.3::a->b is a fact about ->; a rule has its head first: b :- 0.3::a"),
    ("a :- b and c.", "1:8: and is a comma"),
    ("a :- b or c.", "1:8: or is a semicolon"),
    ("a :- if b then c.", "1:6: if is :- in a rule"),
    ("a :- X in [1, 2].", "1:8: there is no in; write member(X, List)"),
    ("a :- !b.", "1:6: not is \\+"),
    ("a :- X \u2260 Y.", "1:8: unexpected character '\u2260'; write X \\= Y"),
    ("p(\u201ca\u201d).", "1:3: unexpected character '\u201c'; a text stands in straight quotes"),
    ("# a comment\n0.3::a.", "1:1: a comment begins with %, not #"),
    ("0.3::a. # a comment\nb.", "1:9: a comment begins with %, not #"),
    ("0.3::a. // a comment\nb.", "1:9: a comment begins with %, not //"),
    ("0.3::Edge(a, b).", "1:6: Edge is a variable; a predicate's name begins with a small letter: edge(…)"),
    ("q :- a, Edge(a, b).", "1:9: Edge is a variable"),
    ("a. query(Edge(a, b)).", "1:10: Edge is a variable"),
    ("0.4::Heads.", "1:6: expected a fact or a rule, not the variable Heads; a name begins with a small letter: heads"),
    ("Heads :- a.", "1:1: unexpected clause head 'Heads'; a head is an atom such as p(X)"),
    ("0.4::bird(1)   % first\n0.4::bird(2).", "2:1: the statement before this, which ends in line 1, has no full stop"),
    ("q :- a,\n  b\nr :- b.", "3:1: the statement before this, which ends in line 2, has no full stop"),
    (":- use_module(library(lists))\na.", "2:1: the statement before this, which ends in line 1, has no full stop"),
    ("q :- a\n  b.", "2:3: expected an operator, ',' or '.' before this"),
    ("0.3::a.query(a).", "1:7: unexpected character '.'; a full stop is followed by a blank"),
    ("heads(C):0.6 ; tails(C):0.4 :- toss(C).", "1:1: heads(C):0.6 is cplint's way of writing"),
    ("heads(C):0.6 :- toss(C).", "1:1: heads(C):0.6 is cplint's way of writing"),
    ("heads:1/2.", "1:1: heads:1/2 is cplint's way of writing; a probability stands before its head: 1/2::heads"),
    (":- use_module(library(pita)).", "1:1: library(pita) is cplint's"),
    ("0,5::a.", "1:1: a number has a decimal point, not a comma: 0.5"),
    ("a :- b, .", "1:7: nothing stands between ',' and the full stop"),
    ("a :- b; .", "1:7: nothing stands between ';' and the full stop"),
    ("a :- .", "1:3: nothing stands between ':-' and the full stop"),
    ("a :- b, , c.", "1:9: nothing stands between ',' and ','"),
    ("a :- , c.", "1:6: nothing stands between ':-' and ','"),
    ("p(a, ).", "1:4: nothing stands between ',' and ')'"),
    ("p( , a).", "1:4: nothing stands between '(' and ','"),
    ("p([a|]).", "1:5: nothing stands between '|' and ']'"),
    ("p().", "1:2: p() has no arguments; write p"),
    ("q :- p(), b.", "1:7: p() has no arguments; write p"),
    ("p (a).", "1:3: no blank stands between a name and its parenthesis: p(…)"),
    ("a :- (b, c.", "1:6: '(' has no partner"),
    ("a :- b), c.", "1:7: ')' has no partner"),
    ("a :- p([b,\n c).", "2:3: expected ']' before ')': the '[' of line 1, column 8 is still open"),
    ("a :- p(b, c].", "1:12: expected ')' before ']': the '(' of line 1, column 7 is still open"),
    ("a :- p('b, c).", '1:8: "\'" has no partner'),
    ("a :- b :- c.", "1:8: a statement has one ':-'"),
    ("a :- :- b.", "1:6: nothing stands between ':-' and ':-'"),
    ("a, :- b.", "1:4: nothing stands between ',' and ':-'"),
    ("q :- a\n0.4::b.", "2:1: the statement before this, which ends in line 1, has no full stop"),
    ("q :- \\+a\n0.4::b :- c.", "2:1: the statement before this, which ends in line 1, has no full stop"),
    ("0.5::a, b.", "1:7: a comma stands between the goals of a body, not between heads"),
    ("a, b :- c.", "1:2: a comma stands between the goals of a body, not between heads"),
    ("p('don't').", "1:7: this quote ends the text before it; a quote within quotes takes a backslash: \\'"),
    ('p("say "hi" to").', '1:8: this quote ends the text before it; a quote within quotes takes a backslash: \\"'),
    ("q :- a, Burglary.", "1:1: Burglary is a variable, and nothing binds it before it is called; a predicate's name"),
    ("q :- \\+Burglary ; a.", "1:1: Burglary is a variable, and nothing binds it before it is called"),
    ("nn(net, [X], Y, [a, b]) : p(X, Y).", "1:1: a network takes two colons before what it decides: nn("),
    ("nn(net, [X]) :- p(X).", "1:1: a network takes two colons, not :-, before what it decides: nn(net,[X]) :: p(X)"),
    ("nn(net, [X]).", "1:1: nn(net,[X]) decides nothing; write what it decides behind it: nn(net,[X]) :: p(…)"),
    ("t(P)::a(X) :- w(X, P).", "1:1: the first argument of t is where it starts: a number, or _ for anywhere; one "),
]


@pytest.mark.parametrize(("text", "message"), SLIPS)
def test_slips(tmp_path: Path, text: str, message: str) -> None:
    """The sentence and the place are the same when a text is parsed and when it is checked."""
    with pytest.raises(errors.ProgramError) as caught:
        deepplp.Program.from_string(text, "p.pl")
    assert str(caught.value).startswith(f"p.pl:{message}")
    file = tmp_path / "p.pl"
    file.write_text(text)
    assert any(
        str(f).startswith(f"{file}:{message}".replace(": ", ": error: ", 1)) for f in deepplp.check_file(file).findings
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("q(X) :- p(X), X => 4. p(1).", "1:17: ProbLog has no =>/2; at least is >="),
        ("q(X) :- p(X) & X > 1. p(1).", "1:14: ProbLog has no &/2; and is a comma"),
        ("q(X) :- p(X) | X > 1. p(1).", "1:14: ProbLog has no |/2; or is a semicolon"),
        ("q(X) :- p(Y), ~p(X). p(1).", "1:15: ProbLog has no ~/1; not is \\+"),
        ("q(N) :- aggregate_all(count, X, p(_), N). p(1).", "1:9: ProbLog has no aggregate_all/4; aggregate_all(set"),
        ("q(1) :- \\+1.", "1:11: 1 is a number, and no goal"),
        ('q(1) :- p, ("a" ; p). p.', '1:13: "a" is a text, and no goal'),
        (":- style_check(-singleton).\nq(1).", "1:4: ProbLog has no style_check/1; there are no style checks"),
        ("q(X) :- p(X) -> X = 1 ; X = 2. p(1).", "1:14: ProbLog has no if-then-else; write"),
        ("q(X) :- nn(net, [a], X, [0, 1]).", "1:9: nn stands before what a network decides, not in a body: nn(net, "),
    ],
)
def test_predicates_that_are_missing(tmp_path: Path, text: str, message: str) -> None:
    """What can be parsed, and calls what there is not: running and checking say the same, once."""
    file = tmp_path / "p.pl"
    file.write_text(text)
    with pytest.raises(errors.DeepPLPError) as caught:
        deepplp.Model(file, cache=False).query("q(_)")
    assert str(caught.value).startswith(f"{file}:{message}")
    found = [f for f in deepplp.check_file(file).findings if f.severity == "error"]
    assert [str(f).replace(" error:", "").startswith(f"{file}:{message}") for f in found] == [True]


@pytest.mark.parametrize("head", ["query(a)", "evidence(a)", "evidence(a, false)", "evidence(\\+a)"])
def test_probability_of_a_question(tmp_path: Path, head: str) -> None:
    """A query or evidence with a probability: running and checking refuse it where it stands."""
    file = tmp_path / "p.pl"
    file.write_text(f"0.5::a. query(a). 0.5::{head}.")
    with pytest.raises(errors.ProgramSyntaxError, match=r"has no probability, as it is no fact; write ") as caught:
        deepplp.Model(file, cache=False).query()
    assert str(caught.value).startswith(f"{file}:1:19: {head}")
    assert deepplp.check_file(file).errors == 1


@pytest.mark.parametrize(
    "text", ["q(X) :- p(X), call(G), G = a.", "q(G) :- p(G), G.", "q :- p(G), \\+G.", "t(P)::q(a)."]
)
def test_variables_that_something_binds(text: str) -> None:
    """A variable as a goal is no slip where another goal or the head has it, and a start may have a name of its own."""
    deepplp.Program.from_string(text)


@pytest.mark.parametrize("name", ["game.pl", "programs/game.pl", " game.problog\n"])
def test_a_file_in_place_of_a_text(name: str) -> None:
    """The name of a file where a program's text is wanted."""
    with pytest.raises(
        errors.ProgramFileError, match=r"is a file's name, no program's text: deepplp\.Program\.from_file"
    ):
        deepplp.Program.from_string(name)
