"""Answers read like a mapping, print as tables, travel without their model, and name targets that cannot be proved."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import gc
import math
import pickle
import re
import weakref
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from torch import Tensor

import deepplp
from deepplp import Query, errors
from deepplp.answers import Answers, AnswerTerms, ManyAnswers
from deepplp.program import Term, parse_goal
from tests.oracles import PlainProgram
from tests.pretended import PRETENDED, PretendedDevice
from tests.strategies import programs

SUMS = """
nn(net, [X], Y, [0..2]) :: d(X, Y).
s(X, Y, Z) :- d(X, A), d(Y, B), Z is A + B.
both(X) :- d(X, 1), d(X, 2).
"""
A = torch.tensor([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1], [0.0, 0.5, 0.5]], dtype=torch.float64)
B = torch.tensor([[0.1, 0.8, 0.1], [0.25, 0.5, 0.25], [1.0, 0.0, 0.0]], dtype=torch.float64)


@dataclass
class Given:
    """Readings that are given as probabilities [batch, n]; ``asked`` notes of each whether gradients were on."""

    given: Tensor
    logs: Tensor | None = None

    def __post_init__(self) -> None:
        self.asked: list[bool] = []

    @property
    def rows(self) -> int:
        """The number of rows."""
        return self.given.shape[0]

    @property
    def device(self) -> torch.device:
        """Where the probabilities are."""
        return self.given.device

    def log_probs(self) -> Tensor:
        """The logarithms, which may be given apart."""
        self.asked.append(torch.is_grad_enabled())
        return self.given.log() if self.logs is None else self.logs

    def probs(self) -> Tensor:
        """The probabilities, as a tensor of their own."""
        self.asked.append(torch.is_grad_enabled())
        return self.given * 1

    def upper_probs(self) -> Tensor:
        """The same: they are exact."""
        return self.given * 1

    def log_evidence(self) -> Tensor:
        """The evidence has probability one half."""
        return self.given.new_full((self.rows, 1), math.log(0.5))

    def selected(self, queries: Tensor) -> Tensor:
        """The log-probability of one answer a row."""
        return self.log_probs().gather(1, queries.unsqueeze(1)).squeeze(1)


def terms(*texts: str) -> AnswerTerms:
    """Answers that are given as text."""
    return AnswerTerms(tuple(map(parse_goal, texts)))


def numbered(n: int) -> AnswerTerms:
    """The answers p(0) to p(n - 1)."""
    return terms(*(f"p({i})" for i in range(n)))


def answers_of(rows: list[list[float]], dtype: torch.dtype = torch.float64) -> Answers:
    """Answers p(0), … with these probabilities."""
    return Answers(numbered(len(rows[0]) if rows else 0), Given(torch.tensor(rows, dtype=dtype)))


def sums_model() -> deepplp.Model:
    """A model of sums whose network returns its input."""
    return deepplp.Model(deepplp.Program.from_string(SUMS), {"net": lambda x: x})


def sums(a: Tensor = A, b: Tensor = B) -> Answers:
    """The sums of pairs of digits."""
    return sums_model().query("s(a, b, Z)", {"a": a, "b": b})


PROBABILITIES = st.sampled_from([0.0, 0.125, 0.25, 0.25 + 2**-54, 0.5, 1.0, 1e-300])


@st.composite
def tables(draw: st.DrawFn, least: int = 0) -> list[list[float]]:
    """Probabilities of some answers in some rows, ties included; they need not sum to one."""
    n = draw(st.integers(least, 12))
    return draw(st.lists(st.lists(PROBABILITIES, min_size=n, max_size=n), min_size=1, max_size=8))


# A mapping


@given(tables())
def test_answers_are_a_mapping(rows: list[list[float]]) -> None:
    """From terms, in their order, to the columns of probs; all views agree with each other."""
    answers = answers_of(rows)
    assert isinstance(answers, Mapping)
    columns = {f"p({i})": [row[i] for row in rows] for i in range(len(rows[0]))}
    assert len(answers) == len(columns)
    assert list(answers) == list(answers.keys()) == list(answers.terms) == list(columns)
    assert {t: p.tolist() for t, p in answers.items()} == columns
    assert [p.tolist() for p in answers.values()] == list(columns.values())
    assert {t: answers[t].tolist() for t in answers} == columns
    assert {t: p.tolist() for t, p in dict(answers).items()} == columns
    assert all(t in answers for t in columns)
    for other in ("p(99)", "q(0)", "p(", 0, None):
        assert other not in answers
    for row, values in enumerate(rows):
        assert answers.to_dict(row) == {t: values[i] for i, t in enumerate(columns)}


def test_an_answer_s_probability_is_differentiable() -> None:
    """answers[t] is the column of probs, and its gradient is that of the column."""
    a = A.clone().requires_grad_()
    answers = sums(a)
    mix = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
    found = answers["s(a, b, 2)"]
    torch.testing.assert_close(found, answers.probs[:, 2], rtol=0, atol=0)
    (ours,) = torch.autograd.grad((mix * found).sum(), a, retain_graph=True)
    (theirs,) = torch.autograd.grad((mix * answers.probs[:, 2]).sum(), a)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(ours, mix[:, None] * B.flip(1))  # P(2) = sum over i of a_i b_{2 - i}


@pytest.mark.parametrize(
    ("answer", "spelling"),
    [
        ("win(a,b)", "win(a, b)"),
        ("win(a,b)", " win( a ,b ) ."),
        ("win(a,b)", "'win'(a, b)"),
        ("'win'(a, b)", "win(a,b)"),
        ("p(c+d)", "p('+'(c, d))"),
        ("p('+'(c, d))", "p(c + d)"),
        ("p([a, b])", "p([a|[b]])"),
        ("p((a, b))", "p((a,b))"),
        ("p(1000.0)", "p(1e3)"),
        ("p('It''s'(X))".replace("''", "\\'"), "p( 'It\\'s'( X ) )"),
        ("\\+p(a)", "not p( a )"),
        ("\\+p(a)", "\\+ 'p'(a)"),
    ],
)
def test_spellings(answer: str, spelling: str) -> None:
    """A term is found however it is spelt, as text and as a term, again and again."""
    answers = Answers(terms("other", answer), Given(torch.tensor([[0.25, 0.5]])))
    for _ in range(2):
        assert answers[spelling].tolist() == [0.5]
        assert answers[parse_goal(spelling)].tolist() == [0.5]
        assert answers.log_prob(spelling).tolist() == answers.log_prob(parse_goal(spelling)).tolist()
        assert spelling in answers
        assert parse_goal(spelling) in answers


@pytest.mark.parametrize("other", ["p('A')", 'p("a")', "p(1.0)", 'p("1")', "p('1')", "\\+p(a)", "p(a, a)", "q(a)"])
def test_spellings_of_other_terms(other: str) -> None:
    """Terms that differ are told apart: a and 'A', 1 and 1.0, "1" and '1'."""
    answers = Answers(terms("p(a)", "p(1)"), Given(torch.tensor([[0.25, 0.5]])))
    assert other not in answers
    assert answers.get(other) is None
    with pytest.raises(errors.UnknownAnswerError):
        answers[other]


def test_a_term_that_is_no_answer() -> None:
    """It is a KeyError and a TargetError, with near misses in plain words; get gives the default."""
    answers = sums()
    for error in (KeyError, errors.TargetError, errors.DeepPLPError):
        with pytest.raises(error) as caught:
            answers["s(a, b,7)"]
    expected = "'s(a, b,7)' is not among the 5 answers; did you mean s(a,b,4) or s(a,b,3) or s(a,b,2)?"
    assert str(caught.value) == expected
    assert str(pickle.loads(pickle.dumps(caught.value))) == expected
    assert answers.get("s(a,b,7)") is None
    assert answers.get(Term("s"), 3) == 3
    assert torch.equal(answers.get("s(a,b, 4)", torch.zeros(3)), answers.probs[:, 4])
    assert torch.equal(answers.get("s(a,b,0)", torch.zeros(3)), answers.probs[:, 0])
    with pytest.raises(errors.UnknownAnswerError, match=r"0 is not among the 5 answers: .* columns of probs"):
        answers[0]  # type: ignore[index]


def test_a_text_that_is_no_term() -> None:
    """It is a syntax error with its place, except for ``in``, which says no."""
    answers = sums()
    for ask in (answers.__getitem__, answers.get, answers.log_prob):
        with pytest.raises(errors.ProgramSyntaxError, match=r"<target>:1:2: '\(' has no partner"):
            ask("s(a, b")
    assert "s(a, b" not in answers


def test_answers_are_equal_to_themselves_alone() -> None:
    """Two answers of the same numbers are two objects, and both can be keys of a dictionary."""
    first, second = sums(), sums()
    assert first == first
    assert first != second
    assert len({first, second}) == 2


# The most probable answer


@given(tables(least=1))
def test_argmax(rows: list[list[float]]) -> None:
    """The first of the most probable terms of each row."""
    assert answers_of(rows).argmax() == [f"p({row.index(max(row))})" for row in rows]


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_argmax_where_probabilities_underflow(dtype: torch.dtype) -> None:
    """Their logarithms decide there, and there alone."""
    logs = torch.tensor([[-2000.0, -1000.0, -1500.0], [-1.0, -2.0, -3.0], [-torch.inf] * 3], dtype=dtype)
    probs = torch.tensor([[0.0, 0.0, 0.0], [0.25, 0.5, 0.125], [0.0, 0.0, 0.0]], dtype=dtype)
    assert Answers(numbered(3), Given(probs, logs)).argmax() == ["p(1)", "p(1)", "p(0)"]


def test_argmax_of_nothing() -> None:
    """No rows have no answers; rows without answers, or whose evidence is impossible, are errors."""
    assert Answers(numbered(3), Given(torch.zeros(0, 3))).argmax() == []
    assert Answers(numbered(0), Given(torch.zeros(0, 0))).argmax() == []
    with pytest.raises(errors.QueryError, match="there are no answers, so none is most probable"):
        Answers(numbered(0), Given(torch.zeros(2, 0))).argmax()
    with pytest.raises(errors.InconsistentEvidenceError, match=r"evidence has probability 0: rows 1, 3$") as caught:
        answers_of([[0.5, 0.5], [math.nan] * 2, [0.25, 0.5], [math.nan] * 2]).argmax()
    assert caught.value.rows == (1, 3)


def test_rows_without_a_meaning() -> None:
    """Rows whose evidence is impossible can be asked for as NaN: printed and read, but none is most probable."""
    evidence = {"d(a, 0)": True}
    answers = sums_model().query("s(a, b, Z)", {"a": A, "b": B}, evidence=evidence, on_inconsistent="nan")
    assert repr(answers).splitlines()[2].split() == ["s(a,b,0)", "0.1", "0.25", "nan"]
    assert math.isnan(answers.to_dict(2)["s(a,b,1)"])
    assert answers.log_prob(["s(a,b,0)"] * 3).isnan().tolist() == [False, False, True]
    assert pickle.loads(pickle.dumps(answers))["s(a,b,0)"].isnan().tolist() == [False, False, True]
    with pytest.raises(errors.InconsistentEvidenceError, match=r"evidence has probability 0: row 2$"):
        answers.argmax()


def test_to_dict() -> None:
    """A batch of one needs no row; any other does, and the row must be there."""
    answers = answers_of([[0.25, 0.75]])
    assert answers.to_dict() == answers.to_dict(0) == {"p(0)": 0.25, "p(1)": 0.75}
    for row in (1, -1):
        with pytest.raises(errors.QueryError, match=f"there is no row {row}: the batch has 1, counted from 0"):
            answers.to_dict(row)
    for wrong in ("0", 0.0):
        with pytest.raises(errors.QueryError, match=f"a row is its number, counted from 0, not {wrong!r}"):
            answers.to_dict(wrong)  # type: ignore[arg-type]
    for rows, count in ((torch.zeros(2, 2), 2), (torch.zeros(0, 2), 0)):
        with pytest.raises(errors.QueryError, match=rf"the batch has {count} rows; say which one.*to_dict\(row\)"):
            Answers(numbered(2), Given(rows)).to_dict()
    several = answers_of([[0.25, 0.75], [0.5, 0.125]])
    assert [several.to_dict(row)["p(1)"] for row in (0, 1)] == [0.75, 0.125]


# Print


def test_one_row_is_printed_on_a_line() -> None:
    """Up to eight answers with their probabilities."""
    assert repr(answers_of([[0.5, 1 / 3]])) == "Answers(batch=1, p(0): 0.5, p(1): 0.333333)"
    shown = ", ".join(f"p({i}): 0.1" for i in range(8))
    assert repr(answers_of([[0.1] * 8])) == f"Answers(batch=1, {shown})"
    assert repr(answers_of([[0.1] * 9])) == f"Answers(batch=1, {shown}, …)"


def test_a_batch_is_printed_as_a_table() -> None:
    """A line an answer and a column a row, aligned; what is left out shows as …"""
    rows = [[0.5, 1e-7], [1.0, 0.0], [math.nan, math.nan]]
    assert repr(Answers(terms("p(a)", "longer(b)"), Given(torch.tensor(rows)))) == (
        "Answers(batch=3, 2 answers)\n"
        "           row 0  row 1  row 2\n"
        "p(a)         0.5      1    nan\n"
        "longer(b)  1e-07      0    nan"
    )
    large = repr(answers_of([[0.25] * 9] * 6))
    assert large == (
        "Answers(batch=6, 9 answers)\n"
        "      row 0  row 1  row 2  row 3  row 4  …\n"
        + "".join(f"p({i})   0.25   0.25   0.25   0.25   0.25  …\n" for i in range(8))
        + "…"
    )


@given(tables(least=1))
def test_tables_are_aligned(rows: list[list[float]]) -> None:
    """Every number that is shown stands right-aligned under its row's name, and rounds to the probability."""
    assume(len(rows) > 1)
    head, names, *lines = repr(answers_of(rows)).splitlines()
    assert head == f"Answers(batch={len(rows)}, {len(rows[0])} answer{'s' * (len(rows[0]) > 1)})"
    ends = [found.end() for found in re.finditer(r"row \d", names)]
    assert len(ends) == min(5, len(rows))
    for i, line in enumerate(lines[:8]):
        cells = line.removesuffix("  …").split()
        assert cells[0] == f"p({i})"
        for row, (cell, end) in enumerate(zip(cells[1:], ends, strict=True)):
            assert line[:end].endswith(cell)
            assert float(cell) == pytest.approx(rows[row][i], rel=1e-3)
    assert (lines[8:] == ["…"]) == (len(rows[0]) > 8)


@pytest.mark.parametrize("show", [repr, Answers._repr_html_])
@pytest.mark.parametrize(("rows", "count"), [(1, 8), (1, 9), (5, 8), (6, 8), (5, 9)])
def test_what_is_left_out_is_marked_and_nothing_else(show: Callable[[Answers], str], rows: int, count: int) -> None:
    """A table of eight answers in five rows is whole."""
    assert ("…" in show(answers_of([[0.125] * count] * rows))) == (rows > 5 or count > 8)


def test_nothing_is_printed_in_words() -> None:
    """No rows and no answers have names, and no table."""
    assert repr(Answers(numbered(0), Given(torch.zeros(1, 0)))) == "Answers(batch=1, no answers)"
    assert repr(Answers(numbered(0), Given(torch.zeros(3, 0)))) == "Answers(batch=3, no answers)"
    assert repr(Answers(numbered(1), Given(torch.zeros(0, 1)))) == "Answers(batch=0, 1 answer)"
    for rows, n in ((1, 0), (3, 0), (0, 2)):
        assert Answers(numbered(n), Given(torch.zeros(rows, n)))._repr_html_().count("<tr>") == 0


def test_long_terms_keep_their_ends() -> None:
    """A long list is cut in its middle, so that answers that differ at their ends stay apart."""
    names = ",".join(f"x{i}" for i in range(1000))
    long = terms(f"sum([{names}], 1)", f"sum([{names}], 2)")
    for rows, width in ((1, 80), (2, 40)):
        text = repr(Answers(long, Given(torch.full((rows, 2), 0.5))))
        found = re.findall(r"sum\(\[x0, x1.*?…[^…]*?\],\d\)", text)
        assert [(len(f), f[-2:]) for f in found] == [(width, "1)"), (width, "2)")]


def test_html() -> None:
    """A notebook's table escapes terms, and shows the most probable of a row in bold, where it has one."""
    written = Answers(
        terms("p('<b>&')", "p(b)"), Given(torch.tensor([[0.25, 0.75], [0.5, 0.5], [0.0, 0.0], [math.nan, math.nan]]))
    )._repr_html_()
    assert "<code>p('&lt;b&gt;&amp;')</code>".replace("'", "&#x27;") in written
    assert re.findall(r"<b>(.*?)</b>", written) == ["0.5", "0.75"]
    cells = re.findall(r"<td>(.*?)</td>", written)
    assert cells[1:5] == ["0.25", "<b>0.5</b>", "0", "nan"]
    assert cells[6:] == ["<b>0.75</b>", "0.5", "0", "nan"]
    large = answers_of([[0.125] * 8 + [1.0]] * 6)._repr_html_()
    assert large.count("<tr>") == 10
    assert re.findall(r"<tr>(.*?)</tr>", large)[-1] == "<td>…</td>" * 7
    assert "<b>" not in large  # the most probable answer is among those left out


@pytest.mark.parametrize("show", [repr, Answers._repr_html_])
@pytest.mark.parametrize("mode", [contextlib.nullcontext, torch.no_grad, torch.inference_mode])
def test_printing_makes_no_graph(
    show: Callable[[Answers], str], mode: Callable[[], contextlib.AbstractContextManager[None]]
) -> None:
    """To print is to read without gradients: nothing is recorded or kept, and gradients are there afterwards."""
    x = torch.tensor([[0.5, 0.5], [0.25, 0.75]], requires_grad=True)
    readings = Given(x)
    answers = Answers(numbered(2), readings)
    with mode():
        assert "0.75" in show(answers)
    assert readings.asked == [False]
    answers.probs.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [[1.0, 1.0]] * 2


def test_printing_keeps_no_tensor_alive() -> None:
    """After the answers are gone, so are the readings that were printed."""
    readings = Given(torch.rand(3, 2, requires_grad=True))
    gone = weakref.ref(readings)
    answers = Answers(numbered(2), readings)
    assert repr(answers)
    del readings, answers
    gc.collect()
    assert gone() is None


def test_readings_are_taken_once() -> None:
    """With gradients and without them: as often as they are asked for, the readings are one tensor each."""
    readings = Given(torch.rand(3, 2, requires_grad=True))
    answers = Answers(numbered(2), readings)
    assert answers.probs is answers.probs
    with torch.no_grad():
        assert answers.probs is answers.probs
        assert not answers.probs.requires_grad
        list(answers.values())
    assert answers.probs.requires_grad
    list(answers.values())
    assert readings.asked == [True, False]


def test_a_look_in_inference_mode_is_one_by_itself() -> None:
    """What is read under torch.no_grad() after it may take part in a loss, as a baseline for example."""
    answers = answers_of([[0.25, 0.75]])
    with torch.inference_mode():
        assert answers.probs.is_inference()
    with torch.no_grad():
        assert not answers.probs.is_inference()


# Pickles and copies


WAYS: list[Callable[[Answers], Answers]] = [lambda a: pickle.loads(pickle.dumps(a)), copy.deepcopy]


@pytest.mark.parametrize("way", WAYS)
def test_copies_hold_the_numbers(way: Callable[[Answers], Answers]) -> None:
    """All numbers have the same bits, no gradients, and no memory in common; terms and targets work as before."""
    program = deepplp.Program.from_string(SUMS)
    model = deepplp.Model(program, {"net": deepplp.Network(lambda x: x, k=2)})
    a = A.clone().requires_grad_()
    answers = model.query("s(a, b, Z)", {"a": a, "b": B}, evidence={"d(a, 1)": torch.tensor([0.5, 0.75, 1.0])})
    found = way(answers)
    assert type(found) is Answers
    assert found.terms == answers.terms
    for name in ("probs", "log_probs", "log_evidence"):
        ours, theirs = getattr(found, name), getattr(answers, name)
        assert torch.equal(ours, theirs)
        assert not ours.requires_grad
    assert found.cut_mass.keys() == {"net"}
    assert torch.equal(found.cut_mass["net"], answers.cut_mass["net"])
    assert repr(found) == repr(answers)
    assert found.argmax() == answers.argmax()
    assert torch.equal(found.log_prob("s(a, b, 1)"), answers.log_prob("s(a, b, 1)"))
    assert torch.equal(found.log_prob([0, 1, 2]), answers.log_prob([0, 1, 2]))
    for wrong in (9, -1):
        with pytest.raises(errors.TargetError, match=f"target {wrong} is no answer: there are 5"):
            found.log_prob([0, 1, wrong])
    found.probs.zero_()
    assert float(answers.probs.detach().sum()) > 0
    assert not found.cut_mass["net"].requires_grad
    found.cut_mass["net"].zero_()
    assert float(answers.cut_mass["net"].detach().sum()) > 0
    assert answers.probs.requires_grad


@pytest.mark.parametrize("way", WAYS)
def test_copies_know_what_is_impossible(way: Callable[[Answers], Answers]) -> None:
    """What no world proves, what was asked, and what had no answer is the same in a copy."""
    model = sums_model()
    found = way(model.query("s(a, a, Z)", {"a": A}))
    with pytest.raises(errors.ImpossibleTargetError):
        found.log_prob("s(a, a, 1)")
    assert found.log_prob("s(a, a, 9)", impossible="ignore").tolist() == [-math.inf] * 3
    with pytest.raises(errors.UnknownAnswerError):
        found.log_prob("s(a, b, 9)", impossible="ignore")
    empty = way(deepplp.Model(deepplp.Program.from_string("a(X) :- b(X), X > 3. 0.2::b(1).")).query("a(X)"))
    assert empty.unanswered == ("a(X)",)
    assert empty.probs.shape == (1, 0)


def test_a_pickle_is_small() -> None:
    """It holds the numbers of the answers, and of no other query that was evaluated with them."""
    model = sums_model()
    many = model.query_many([Query("s(a, b, Z)", {"a": A[i % 3 :][:1], "b": B[:1]}) for i in range(500)])
    assert len(pickle.dumps(many[0])) < 3_000
    assert len(pickle.dumps(model.query("s(a, b, Z)", {"a": A, "b": B}))) < 3_000


def test_copies_of_what_was_made_in_inference_mode() -> None:
    """Its numbers are common tensors, fit for any later use."""
    with torch.inference_mode():
        answers = sums()
        inside, dumped = copy.deepcopy(answers), pickle.dumps(answers)
    for found in (inside, pickle.loads(dumped), *(way(answers) for way in WAYS)):
        weight = torch.ones(3, requires_grad=True, dtype=torch.float64)
        (found["s(a,b,2)"] * weight).sum().backward()
        assert weight.grad is not None


def test_a_shallow_copy_keeps_gradients() -> None:
    """copy.copy reads from the same evaluation, and tells what was cut."""
    a = A.clone().requires_grad_()
    copy.copy(sums(a)).log_prob("s(a, b, 2)").sum().backward()
    assert a.grad is not None
    model = deepplp.Model(deepplp.Program.from_string(SUMS), {"net": deepplp.Network(lambda x: x, k=2)})
    answers = model.query("d(a, Y)", {"a": A})
    assert copy.copy(answers).cut_mass["net"] is answers.cut_mass["net"]


def test_terms_travel() -> None:
    """Terms of all kinds, and deep ones, are found again in a copy, and are shared by deep copies."""
    deep = "p(" + "f(" * 3000 + "a" + ")" * 3000 + ")"
    texts = ["p(1)", "p(1.5)", 'p("1")', "p('It')", "p([a, b, [c]])", "p(a+b)", "\\+q", "not r(a)", deep]
    known = AnswerTerms(tuple(map(parse_goal, texts)), (parse_goal("u(X, Y, X)"),), np.arange(9) == 2)
    found = pickle.loads(pickle.dumps(known))
    assert found.texts == known.texts
    assert found.unanswered_texts == ("u(X,Y,X)",)
    assert found.impossible.tolist() == known.impossible.tolist()
    assert [found.find(t) for t in texts] == list(range(len(texts)))
    assert copy.deepcopy(known) is known


# Targets


def test_one_term_for_all_rows() -> None:
    """log_prob of a term is its log-probability in every row, with its gradient."""
    a = A.clone().requires_grad_()
    answers = sums(a)
    found = answers.log_prob("s(a, b, 2)")
    torch.testing.assert_close(found, answers.log_probs[:, 2])
    torch.testing.assert_close(answers.log_prob([parse_goal("s(a,b,2)"), "s(a,b,2)", "s(a, b, 2)"]), found)
    (ours,) = torch.autograd.grad(found.sum(), a, retain_graph=True)
    (theirs,) = torch.autograd.grad(answers.log_probs[:, 2].sum(), a)
    torch.testing.assert_close(ours, theirs)
    assert sums(A[:0], B[:0]).log_prob("s(a, b, 2)").shape == (0,)


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        ([0.5, 1.0, 2.0], "targets are indices of answers, so integers, not torch.float32"),
        ([True, False, True], "targets are indices of answers, so integers, not torch.bool"),
        (3, "targets must be a tensor of answer indices, or a list of terms"),
        ([[0], [1, 2], [3]], "targets must be a tensor of answer indices, or a list of terms"),
        ([0, 1], "targets have shape [2]; the batch needs [3], one a row"),
        (["s(a, b, 1)"], "targets have shape [1]; the batch needs [3], one a row"),
        (["s(a, b, 1)", 1, 2], "1 is not among the 5 answers: these are found by their terms"),
    ],
)
def test_targets_that_are_none(targets: object, message: str) -> None:
    """What is no index and no term is refused: nothing is rounded, and nothing is guessed."""
    with pytest.raises(errors.TargetError) as caught:
        sums().log_prob(targets)  # type: ignore[arg-type]
    assert str(caught.value).startswith(message)


# Targets that cannot be proved


def opened(program: PlainProgram) -> PlainProgram:
    """The program with other numbers for 0 and 1, so that all that its logic admits is possible."""
    rules = []
    for rule in program.rules:
        if rule.heads and {0.0, 1.0}.intersection(rule.probabilities):
            others = int(len(rule.heads) == 1 or sum(rule.probabilities) < 1 - 1e-12)
            rule = dataclasses.replace(rule, probabilities=(1 / (len(rule.heads) + others),) * len(rule.heads))
        rules.append(rule)
    return dataclasses.replace(program, rules=tuple(rules))


@given(programs())
def test_what_is_impossible_has_no_world(program: PlainProgram) -> None:
    """A target is an ImpossibleTargetError exactly if no world with the evidence has it, whatever the numbers are."""
    expected, possible = program.enumerate(), opened(program).enumerate()
    assume(expected is not None)
    assert expected is not None
    assert possible is not None
    answers = deepplp.Model(deepplp.Program.from_string(program.text()), cache=False).query()
    for term in answers:
        if expected[term] == 0.0 < possible[term]:
            assert answers.log_prob(term).tolist() == [-math.inf]
        elif expected[term] == 0.0:
            with pytest.raises(errors.ImpossibleTargetError):
                answers.log_prob(term)
            assert answers.log_prob(term, impossible="ignore").tolist() == [-math.inf]
        else:
            assert math.exp(float(answers.log_prob(term))) == pytest.approx(expected[term])


def test_impossible_targets_are_named() -> None:
    """The error says which rows and terms, and what to do; other rows are no part of it."""
    answers = sums_model().query("s(a, a, Z)", {"a": A})  # a + a is even
    with pytest.raises(errors.ImpossibleTargetError) as caught:
        answers.log_prob(["s(a, a, 1)", "s(a, a, 2)", "s(a, a, 3)"])
    assert str(caught.value) == (
        "the targets s(a,a,1), s(a,a,3) of rows 0, 2 hold in no world, whatever the networks say, so nothing can be "
        "learnt from them; check them against the program and the evidence, or pass impossible='ignore' for -inf "
        "with a gradient of zero"
    )
    assert caught.value.rows == (0, 2)
    assert caught.value.terms == ("s(a,a,1)", "s(a,a,3)")
    again = pickle.loads(pickle.dumps(caught.value))
    assert (again.rows, again.terms, str(again)) == ((0, 2), caught.value.terms, str(caught.value))
    with pytest.raises(errors.ImpossibleTargetError) as caught:
        answers.log_prob(torch.tensor([0, 2, 1]))
    assert caught.value.rows == (2,)
    assert answers.log_prob([0, 2, 4]).isfinite().tolist() == [True, True, True]


def test_impossible_is_not_the_same_as_improbable() -> None:
    """A probability that a network makes 0 is no error: -inf with a gradient of 0, as ever."""
    a = A.clone().requires_grad_()
    found = sums(a).log_prob(["s(a, b, 0)"] * 3)  # 0 in row 2, where a is never 0
    assert found.tolist()[2] == -math.inf
    found.sum().backward()
    assert a.grad is not None
    assert a.grad[2].tolist() == [0.0, 0.0, 0.0]
    assert a.grad[0].tolist() == [5.0, 0.0, 0.0]


@pytest.mark.parametrize("target", ["both(a)", [0, 0, 0], ["both( a )"] * 3, torch.zeros(3, dtype=torch.long)])
def test_a_ground_query_without_a_proof(target: str | list[int] | list[str] | Tensor) -> None:
    """Ignored, it can be differentiated though nothing depends on the networks; not ignored, it is a named error."""
    a = A.clone().requires_grad_()
    answers = sums_model().query("both(a)", {"a": a})
    with pytest.raises(errors.ImpossibleTargetError, match=r"the target both\(a\) of rows 0, 1, 2 holds in no world"):
        answers.log_prob(target)
    found = answers.log_prob(target, impossible="ignore")
    assert found.tolist() == [-math.inf] * 3
    assert found.requires_grad
    found.mean().backward()
    assert a.grad is None or not a.grad.any()
    with torch.no_grad():
        assert not answers.log_prob(target, impossible="ignore").requires_grad


def test_ignored_targets_leave_the_others_alone() -> None:
    """A loss with impossible targets has the gradient of the loss without them."""
    a = A.clone().requires_grad_()
    answers = sums(a)
    chosen = ["s(a, b, 1)", "s(a, b, 7)", "s(a, b, 2)"]
    found = answers.log_prob(chosen, impossible="ignore")
    assert found[1] == -math.inf
    (ours,) = torch.autograd.grad(found.sum(), a, retain_graph=True)
    (theirs,) = torch.autograd.grad(answers.log_probs[0, 1] + answers.log_probs[2, 2], a)
    torch.testing.assert_close(ours, theirs)
    first, *others = answers.log_prob(["s(a, b, 7)", "s(a, b, 1)", "s(a, b, 2)"], impossible="ignore").tolist()
    assert first == -math.inf
    assert others == answers.log_prob([0, 1, 2])[1:].tolist()
    same = sums_model().query("s(a, a, Z)", {"a": a})
    found = same.log_prob(["s(a, a, 1)", "s(a, a, 2)", "s(a, a, 4)"], impossible="ignore")
    (ours,) = torch.autograd.grad(found.sum(), a)
    torch.testing.assert_close(ours, torch.tensor([[0.0] * 3, [0.0, 1 / 0.3, 0.0], [0.0, 0.0, 2.0]]).double())


@pytest.mark.parametrize(
    ("query", "target", "ignored"),
    [
        ("s(a, b, Z)", "s(a, b, 7)", True),
        ("s(a, b, Z)", "'s'(a, b, 7)", True),
        ("s(a, b, Z)", "s(b, a, 1)", False),
        ("s(a, b, Z)", "s(a, b)", False),
        ("s(a, b, Z)", "t(a, b, 7)", False),
        ("s(a, b, Z)", "\\+s(a, b, 7)", False),
        ("s(a, b, Z)", "s(a, b, X)", False),
        ("s(a, a, Z)", "s(a, a, 9)", True),
        ("s(a, b, 3)", "s(a, b, 2)", False),
        (["d(a, Y)", "s(a, b, 1)"], "d(a, 7)", True),
        (["d(a, Y)", "s(a, b, 1)"], "s(a, b, 7)", False),
        ("same(X, X, [Y|_])", "same(a, a, [1])", True),
        ("same(X, X, [Y|_])", "same(a, b, [1])", False),
        ("same(X, X, [Y|_])", "same(a, a, [])", False),
        ("open(X)", "open(3)", False),
    ],
)
def test_only_what_was_asked_is_ignored(query: str | list[str], target: str, ignored: bool) -> None:
    """A term that is no answer is ignored where it is an instance of the query; a slip of the pen is an error."""
    program = deepplp.Program.from_string(SUMS + "same(1, 1, [1]) :- fail. open(_).")
    names = {"a", "b"} & set(re.findall(r"\w+", str(query)))
    model = deepplp.Model(program, {"net": lambda x: x})
    answers = model.query(query, {n: {"a": A, "b": B}[n][:1] for n in names})
    with pytest.raises(errors.UnknownAnswerError):
        answers.log_prob(target)
    if ignored:
        found = answers.log_prob([parse_goal(target)], impossible="ignore")
        assert found.tolist() == answers.log_prob(target, impossible="ignore").tolist() == [-math.inf]
        found.sum().backward()
    else:
        with pytest.raises(errors.UnknownAnswerError):
            answers.log_prob(target, impossible="ignore")


def test_queries_of_the_program_are_known_by_name() -> None:
    """Where the queries stand in the program, a target needs the name and arity of an answer or an unanswered one."""
    text = "0.5::p(1). 0.5::r(1). q(X) :- p(X), X > 3. query(p(_)). query(q(_))."
    answers = deepplp.Model(deepplp.Program.from_string(text)).query()
    assert answers.terms == ("p(1)",)
    for target in ("p(2)", "q(7)"):
        assert answers.log_prob(target, impossible="ignore").tolist() == [-math.inf]
    for target in ("r(1)", "p(1, 1)", "p", "\\+p(2)"):
        with pytest.raises(errors.UnknownAnswerError):
            answers.log_prob(target, impossible="ignore")


def test_impossible_under_evidence() -> None:
    """Evidence of the program or the call can make an answer impossible; evidence row by row cannot."""
    model = sums_model()
    inputs = {"a": A[:2], "b": B[:2]}
    known = model.query("s(a, b, Z)", inputs, evidence={"d(a, 2)": True})
    with pytest.raises(errors.ImpossibleTargetError, match=r"the target s\(a,b,1\) of row 0 holds in no world"):
        known.log_prob([1, 2])
    seen = model.query("s(a, b, Z)", inputs, evidence={"d(a, 2)": torch.tensor([True, False])})
    assert seen.log_prob([1, 2]).tolist() == [-math.inf, pytest.approx(math.log((0.6 * 0.25 + 0.3 * 0.5) / 0.9))]


def test_impossible_is_one_of_two_words() -> None:
    """Any other word is an error of its own."""
    with pytest.raises(errors.QueryError, match="impossible is 'error' or 'ignore', not 'warn'"):
        sums().log_prob([0, 0, 0], impossible="warn")  # type: ignore[arg-type]


# One dtype, any device


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_all_results_have_the_dtype_of_the_readings(dtype: torch.dtype) -> None:
    """Nothing that is made of a reading changes its dtype, and all that is printed or counted works in each."""
    answers = answers_of([[0.25, 0.75, 0.0]] * 2, dtype)
    answers._terms.__dict__["impossible"] = np.array([False, False, True])
    found = [answers.probs, answers.log_probs, answers.log_evidence, answers["p(1)"], answers.log_prob([0, 1])]
    found += [answers.log_prob(["p(2)", "p(1)"], impossible="ignore"), answers.log_prob("p(7)", impossible="ignore")]
    found += [copy.deepcopy(answers).probs, ManyAnswers([copy.deepcopy(answers)])[0].log_probs]
    assert {t.dtype for t in found} == {dtype}
    assert answers.argmax() == ["p(1)"] * 2
    assert answers.to_dict(0) == {"p(0)": 0.25, "p(1)": 0.75, "p(2)": 0.0}
    assert "0.75" in repr(answers)


@pytest.fixture
def elsewhere() -> Iterator[None]:
    """The pretended device is there."""
    with PretendedDevice():
        yield


@pytest.mark.usefixtures("elsewhere")
def test_answers_on_a_device() -> None:
    """They are read, printed and copied without mixing devices."""
    rows = torch.tensor([[0.25, 0.75, 0.0], [1e-320, 0.0, 0.0]], dtype=torch.float64)
    known = AnswerTerms(numbered(3).terms, impossible=np.array([False, False, True]))
    here = Answers(known, Given(rows))
    there = Answers(known, Given(rows.to(PRETENDED)))
    assert there["p(1)"].device == there.log_prob("p(1)").device == PRETENDED
    assert there.argmax() == here.argmax() == ["p(1)", "p(0)"]
    assert there.to_dict(1) == here.to_dict(1)
    assert repr(there) == repr(here)
    assert there._repr_html_() == here._repr_html_()
    assert copy.deepcopy(there).probs.device == PRETENDED
    for targets in ([2, 0], ["p(7)", "p(0)"], torch.tensor([1, 2])):
        found = there.log_prob(targets, impossible="ignore")
        assert found.device == PRETENDED
        assert found.tolist() == here.log_prob(targets, impossible="ignore").tolist()
    with pytest.raises(errors.ImpossibleTargetError, match="row 1 holds"):
        there.log_prob(torch.tensor([1, 2]))


# Many


def many() -> ManyAnswers:
    """Four queries: three of one row, one of them of one structure with another, and one of three rows."""
    model = sums_model()
    return model.query_many(
        [
            Query("s(a, b, Z)", {"a": A[:1], "b": B[:1]}),
            Query("s(a, a, Z)", {"a": A[1:2]}),
            Query("d(a, Y)", {"a": A}),
            Query("both(a)", {"a": A[:1]}),
        ]
    )


def test_slices_of_many() -> None:
    """A slice is of the same kind, and its answers are the same objects."""
    answers = many()
    part = answers[1:]
    assert isinstance(part, ManyAnswers)
    assert list(part) == list(answers)[1:]
    assert answers[-1] is part[2]
    assert answers[::-1][0] is answers[3]
    assert answers.index(answers[2]) == 2


def test_many_are_printed() -> None:
    """One query after another, by number, up to five."""
    answers = many()
    lines = repr(answers[1:]).splitlines()
    assert lines[0] == "ManyAnswers(3 queries)"
    assert lines[1] == f"0: {answers[1]!r}"
    assert lines[2:6] == [
        "1: Answers(batch=3, 3 answers)",
        "           row 0  row 1  row 2",
        "   d(a,0)    0.2    0.6      0",
        "   d(a,1)    0.3    0.3    0.5",
    ]
    assert lines[7:] == ["2: Answers(batch=1, both(a): 0)"]
    assert repr(ManyAnswers([answers[3]] * 6)).splitlines()[5:] == ["4: Answers(batch=1, both(a): 0)", "…"]
    assert repr(answers[:0]) == "ManyAnswers(0 queries)"
    assert repr(answers[:1]).startswith("ManyAnswers(1 query)\n0: Answers(batch=1, s(a,b,0): 0.02")


@pytest.mark.parametrize("way", [lambda a: pickle.loads(pickle.dumps(a)), copy.deepcopy])
def test_copies_of_many(way: Callable[[ManyAnswers], ManyAnswers]) -> None:
    """They hold the numbers of all queries, without gradients."""
    answers = many()
    found = way(answers)
    assert isinstance(found, ManyAnswers)
    for ours, theirs in zip(found, answers, strict=True):
        assert ours.terms == theirs.terms
        assert torch.equal(ours.probs, theirs.probs)
        assert torch.equal(ours.log_probs, theirs.log_probs)
        assert torch.equal(ours.log_evidence, theirs.log_evidence)
    assert torch.equal(found[:2].log_prob([1, 2]), answers[:2].log_prob([1, 2]))


def test_impossible_targets_of_many() -> None:
    """The error names all queries whose target cannot be proved; ignored, they are -inf among the others."""
    answers = many()
    chosen = answers[:2]
    with pytest.raises(errors.ImpossibleTargetError, match=r"the target s\(a,a,1\) of query 1 holds in no") as caught:
        chosen.log_prob(["s(a, b, 1)", "s(a, a, 1)"])
    assert (caught.value.rows, caught.value.terms) == ((1,), ("s(a,a,1)",))
    found = chosen.log_prob(["s(a, b, 1)", "s(a, a, 1)"], impossible="ignore")
    assert found.tolist() == [pytest.approx(math.log(0.2 * 0.8 + 0.3 * 0.1)), -math.inf]
    found = chosen.log_prob(["s(a, b, 9)", "s(a, a, 2)"], impossible="ignore")
    assert found.tolist() == [-math.inf, pytest.approx(math.log(0.3))]
    pair = ManyAnswers([answers[3], answers[1]])
    with pytest.raises(errors.ImpossibleTargetError, match=r"the targets both\(a\), s\(a,a,1\) of queries 0, 1 hold"):
        pair.log_prob(["both(a)", "s(a, a, 1)"])
    pair.log_prob(["both(a)", "s(a, a, 1)"], impossible="ignore").sum().backward()


def test_targets_of_many_are_named_by_their_query() -> None:
    """What is wrong with a target is said with the number of its query."""
    answers = many()
    with pytest.raises(errors.UnknownAnswerError, match=r"query 1: 's\(a,b,1\)' is not among the 5 answers"):
        answers[:2].log_prob(["s(a,b,1)", "s(a,b,1)"])
    with pytest.raises(errors.TargetError, match=r"query 2: targets have shape \[1\]; the batch needs \[3\]"):
        answers[:3].log_prob([0, 0, 0])
    assert torch.equal(answers[:2].log_prob(torch.tensor([1, 2])), answers[:2].log_prob([1, 2]))
    assert answers[:0].log_prob([]).dtype == torch.float64
