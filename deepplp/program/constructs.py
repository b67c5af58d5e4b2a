"""What other systems say and deepplp does not: named where a program says it, with what to write instead."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Sequence
from typing import Any

from problog.logic import And, Clause, Constant, Not, Or, Term, Var

from deepplp.errors import InvalidProbabilityError, Position, ProgramSyntaxError, UnsupportedConstructError
from deepplp.program.naming import readable
from deepplp.program.terms import subterms

__all__ = ["DECLARATIONS", "check_heads", "check_libraries", "control_faults", "declared_predicates", "idle_questions"]

DECLARATIONS = frozenset({"dynamic", "table", "discontiguous", "multifile"})
_DISTRIBUTIONS = frozenset(
    {"normal", "gaussian", "uniform", "exponential", "beta", "gamma", "poisson", "student", "laplace", "cauchy"}
)
_CPLINT = frozenset({"pita", "pitaind", "mcintyre", "slipcover", "lemur", "viterbi", "cplint_r", "lift_cover"})
_IF_THEN = {"'->'": "->", "'*->'": "*->"}
_CALLING = frozenset(
    {
        "call", "call_nc", "try_call", "once", "ignore", "not", "\\+", "findall", "all", "all_or_none", "forall",
        "bagof", "setof", "aggregate", "aggregate_all", "subquery", "query", "evidence", ">>", "/", "^", "\\", "phrase",
    }
)  # fmt: skip


def check_heads(heads: Sequence[Any], body: Term | None, position: Position) -> None:
    """Refuse heads that mean something in another dialect: decisions, continuous variables; and slips."""
    _check_variables(heads, body, position)
    for head in heads:
        if not isinstance(head, Term) or isinstance(head, (Var, Constant)):
            continue
        _check_goal(head, position)
        _check_network(head, body, position)
        probability = head.probability
        name = probability.functor if isinstance(probability, Term) and not isinstance(probability, Constant) else None
        if name == "?":
            raise UnsupportedConstructError(
                f"?::{head.with_probability(None)} is a decision of DTProbLog; deepplp computes probabilities, not "
                "strategies. Give the fact a probability, or decide it by evidence",
                position,
            )
        named = name is not None and name[:1].isalpha() and name not in ("nn", "t")
        distributed = named and head.functor in _DISTRIBUTIONS and head.arity > 0
        if distributed or (name in _DISTRIBUTIONS and probability.arity > 0):  # x ~ normal(0, 1) or normal(0, 1)::x
            shown = f"{probability}{' ~ ' if distributed else '::'}{head.with_probability(None)}"
            raise UnsupportedConstructError(
                f"{shown} is a continuous random variable; deepplp has discrete ones. Divide its range into values: "
                "0.2::x(low); 0.5::x(middle); 0.3::x(high)",
                position,
            )
        if head.functor == "':'" and head.arity == 2 and isinstance(head.args[0], Constant):
            raise ProgramSyntaxError(
                f"{head.args[0]}:{head.args[1]} is a fact about ':'; a probability takes two colons: "
                f"{head.args[0]}::{head.args[1]}",
                position,
            )
        if head.functor == "':'" and head.arity == 2 and _is_number(head.args[1]):
            raise ProgramSyntaxError(
                f"{head.args[0]}:{head.args[1]} is cplint's way of writing; a probability stands before its head: "
                f"{head.args[1]}::{head.args[0]}",
                position,
            )
        if head.functor == "':'" and head.arity == 2 and body is None and _is_minus(head.args[1]):  # a : - b
            raise ProgramSyntaxError(
                f"no blank stands in :-, and a rule is {readable(head.args[0])} :- {readable(head.args[1].args[0])}",
                position,
            )
        if named and not probability.args and body is None and _is_minus(head):  # a ::- b
            raise ProgramSyntaxError(
                f"::- is no operator; a rule is {readable(probability)} :- {readable(head.args[0])}", position
            )
        arrow = head.functor.strip("'") if isinstance(head.functor, str) else ""
        if arrow in ("=>", "->", "*->") and head.arity == 2 and body is None:
            raise ProgramSyntaxError(
                f"{head.args[0]}{arrow}{head.args[1]} is a fact about {arrow}; a rule has its head first: "
                f"{head.args[1]} :- {head.args[0]}",
                position,
            )
        if head.functor == "'-'" and head.arity == 2 and str(head.args[0]) == "?":
            raise ProgramSyntaxError(f"a program asks by query({head.args[1]}), not by ?-", position)
        if len(heads) > 1 and probability is None:
            raise InvalidProbabilityError(
                f"{head} has no probability; every head of an annotated disjunction needs one", position
            )


def idle_questions(clauses: Sequence[tuple[Sequence[Any], Term | None, Position]]) -> Iterator[ProgramSyntaxError]:
    """Heads of clauses that look like a query or evidence, ask or observe nothing, and are no goal of any body.

    A program whose rules call such a predicate means one of its own. The fact ``query.`` is taken to ask nothing.
    """
    found = [
        (head, body, position)
        for heads, body, position in clauses
        for head in heads
        if isinstance(head, Term)
        and ((head.functor == "query" and head.arity != 1) or (head.functor == "evidence" and head.arity not in (1, 2)))
        and not (head.functor == "query" and head.arity == 0 and body is None)
    ]
    if not found:
        return
    called: set[tuple[str, int]] = set()
    stack: list[Any] = [body for _, body, _ in clauses]
    while stack:
        term = stack.pop()
        if isinstance(term, Term) and not isinstance(term, (Var, Constant)):
            called.add((term.functor, term.arity))
            stack += term.args
    for head, _, position in found:
        if (head.functor, head.arity) not in called:
            yield ProgramSyntaxError(_idle(head), position)


def _idle(head: Term) -> str:
    """What is said of such a head, and what to write instead."""
    first = readable(head.args[0]) if head.arity else "a"
    if head.functor == "query":
        each = " ".join(f"query({readable(goal)})." for goal in head.args) or f"query({first})."
        return f"query/{head.arity} asks nothing; a query is of one goal: {each}"
    instead = f"evidence({first}) or evidence({first}, false)"
    if head.arity == 3 and isinstance(head.args[2], Constant) and head.args[2].is_float():
        likely = head.args[2].value
        instead += (
            f"; evidence that is uncertain is a fact that depends on it: {likely:g}::seen :- {first}. "
            f"{1 - likely:g}::seen :- \\+{first}. evidence(seen)."
        )
    return f"evidence/{head.arity} observes nothing; write {instead}"


def _check_variables(heads: Sequence[Any], body: Term | None, position: Position) -> None:
    """Refuse a variable as a goal that stands nowhere else, so that nothing can bind it: a capitalised predicate."""
    goals: list[Any] = [body]
    alone: list[Var] = []
    while goals:
        goal = goals.pop()
        if isinstance(goal, (And, Or, Not)):
            goals += reversed(goal.args)
        elif isinstance(goal, Var):
            alone.append(goal)
    if not alone:
        return
    counts = Counter(str(t) for t in subterms([*heads, body]) if isinstance(t, Var))
    for goal in alone:
        name = str(goal)
        if counts[name] == 1 and name[:1].isupper():
            raise ProgramSyntaxError(
                f"{name} is a variable, and nothing binds it before it is called; a predicate's name begins with a "
                f"small letter: {name[:1].lower() + name[1:]}",
                position,
            )


def _check_network(head: Term, body: Term | None, position: Position) -> None:
    """Refuse ``nn(net, [X], Y, [a, b]) : p(X, Y)``, the same with ``:-``, and the annotation as a fact."""
    annotation: Any = head.args[0] if head.functor == "':'" and head.arity == 2 else head
    is_annotation = isinstance(annotation, Term) and annotation.functor == "nn" and annotation.arity > 1
    if not is_annotation or not isinstance(annotation.args[1], Term) or annotation.args[1].functor not in (".", "[]"):
        return
    shown = readable(annotation)
    if annotation is not head:
        message = f"a network takes two colons before what it decides: {shown} :: {readable(head.args[1])}"
    elif body is None:
        message = f"{shown} decides nothing; write what it decides behind it: {shown} :: p(…)"
    else:
        message = f"a network takes two colons, not :-, before what it decides: {shown} :: {readable(body)}"
    raise ProgramSyntaxError(message, position)


def _check_goal(head: Term, position: Position) -> None:
    """Refuse ``query`` and ``evidence`` of what is no goal, also in a rule whose body never holds."""
    asks = (head.functor, head.arity) in (("query", 1), ("evidence", 1), ("evidence", 2))
    goal: Any = head.args[0] if asks else None
    if asks and head.probability is not None and not isinstance(goal, (Constant, Var)):
        shown = ", ".join(map(readable, head.args))
        raise ProgramSyntaxError(
            f"{head.functor}({shown}) has no probability, as it is no fact; write {head.functor}({shown}) without it",
            position,
        )
    is_list = isinstance(goal, Term) and goal.functor in (".", "[]") and not isinstance(goal, (Var, Constant))
    if is_list or isinstance(goal, Constant):
        kind = "a list" if is_list else "a number" if goal.is_float() or goal.is_integer() else "a text"
        raise ProgramSyntaxError(
            f"{head.functor}({readable(goal)}): {kind} is no atom that can hold or not; define a predicate of it, and "
            f"write {head.functor}(found({readable(goal)}))",
            position,
        )


def _is_minus(term: Any) -> bool:
    """Whether a term is the negative of another that is no number."""
    return isinstance(term, Term) and term.functor == "'-'" and term.arity == 1


def _is_number(term: Any) -> bool:
    """Whether a term is a number, or arithmetic of numbers."""
    if isinstance(term, Constant):
        return not term.is_string()
    is_compound = isinstance(term, Term) and not isinstance(term, Var) and term.op_spec is not None
    return is_compound and all(map(_is_number, term.args))


def check_libraries(statement: Term, position: Position) -> None:
    """Refuse libraries of other probabilistic systems, whose programs are written in another way."""
    goal = statement.body if isinstance(statement, Clause) and str(statement.head) == "_directive" else None
    if not isinstance(goal, Term) or goal.functor != "use_module" or not isinstance(goal.args[0], Term):
        return
    library = goal.args[0]
    if library.functor == "library" and library.arity == 1 and str(library.args[0]) in _CPLINT:
        raise UnsupportedConstructError(
            f"{library} is cplint's; leave out its directives, and write clauses such as heads:0.6 ; tails:0.4 :- toss "
            "as 0.6::heads ; 0.4::tails :- toss",
            position,
        )


def declared_predicates(statement: Term, position: Position) -> tuple[str, ...] | None:
    """The signatures that a directive such as ``:- dynamic p/1, q/2`` declares; None for all other statements."""
    if not isinstance(statement, Clause) or str(statement.head) != "_directive":
        return None
    goal = statement.body
    name = str(goal.functor).strip("'") if isinstance(goal, Term) else ""  # quoted where it is an operator
    if not isinstance(goal, Term) or name not in DECLARATIONS or goal.arity == 0:
        return None
    signatures: list[str] = []
    stack: list[Any] = list(reversed(goal.args))
    while stack:
        item = stack.pop()
        if isinstance(item, And):
            stack += [item.op2, item.op1]
        elif isinstance(item, Term) and item.functor == "." and item.arity == 2:
            stack += [item.args[1], item.args[0]]
        elif isinstance(item, Term) and item.functor == "'/'" and item.arity == 2 and str(item.args[1]).isdigit():
            signatures.append(f"{item.args[0]}/{item.args[1]}")
        elif str(item) != "[]":
            raise ProgramSyntaxError(
                f"{name} declares predicates, such as {name} edge/2, not {readable(item)}", position
            )
    return tuple(signatures)


def control_faults(body: Term | None, defined: Container[str] = ()) -> Iterator[tuple[str, Any]]:
    """What a body says and deepplp does not do: what is wrong, and its location.

    If-then-else, cuts, and numbers and texts in the place of goals. A program that defines ``->``/2 itself (its
    signature is in ``defined``) means its own predicate.
    """
    stack: list[Any] = [body]
    while stack:
        goal = stack.pop()
        if isinstance(goal, (And, Or, Not)):
            stack += reversed(goal.args)
        elif isinstance(goal, Constant):
            kind = "a text" if goal.is_string() else "a number"
            yield f"{goal} is {kind}, and no goal that can hold or not", goal.location
    within: list[tuple[Any, bool]] = [(body, True)]  # terms, and whether they may be called
    while within:
        term, is_called = within.pop()
        if not isinstance(term, Term) or isinstance(term, (Var, Constant)):
            continue
        otherwise = None
        if isinstance(term, Or) and _is_if_then(term.op1, defined):
            otherwise, term = term.op2, term.op1
            within.append((otherwise, True))
        if _is_if_then(term, defined):
            yield _if_then(term, otherwise), term.location
            within += [(a, True) for a in reversed(term.args)]
        elif term.functor == "!" and term.arity == 0:
            if not is_called:  # the atom '!', which has no quotes inside
                continue
            yield (
                "the cut ! has no meaning in a probabilistic program, where a clause holds in some worlds and not in "
                "others; make the clauses exclude each other with \\+, or use library(cut)",
                term.location,
            )
        else:
            calls = isinstance(term, (And, Or, Not)) or str(term.functor).strip("'") in _CALLING
            within += [(a, calls) for a in reversed(term.args)]


def _is_if_then(term: Any, defined: Container[str]) -> bool:
    found = isinstance(term, Term) and not isinstance(term, (Var, Constant)) and term.functor in _IF_THEN
    return found and term.arity == 2 and term.signature not in defined


def _if_then(term: Term, otherwise: Term | None) -> str:
    """If C holds in some worlds only, C -> A ; B is A where it holds and B where it does not."""
    symbol = _IF_THEN[term.functor]
    if symbol == "*->":  # binds tighter than = in ProbLog's grammar, so that its parts are not what they seem
        return "ProbLog has no soft cut; write (C, A ; \\+ C, B) for (C *-> A ; B)"
    condition, then = term.args
    negated = f"\\+ ({condition})" if isinstance(condition, (And, Or)) else f"\\+ {condition}"
    condition = f"({condition})" if isinstance(condition, Or) else condition
    if otherwise is None:
        return f"ProbLog has no if-then; write ({condition}, {then})"
    return f"ProbLog has no if-then-else; write ({condition}, {then} ; {negated}, {otherwise})"
