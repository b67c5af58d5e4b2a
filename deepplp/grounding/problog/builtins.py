"""ProbLog's built-ins that work otherwise here: collecting, calling, sampling and asking in a program of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Unpack

from problog import get_evaluatable, get_semiring
from problog.engine_builtin import _build_scope, check_mode, list_elements
from problog.engine_stack import BooleanBuiltIn, SimpleBuiltIn, SimpleProbabilisticBuiltIn
from problog.engine_unify import UnifyError, unify_value
from problog.errors import ProbLogError
from problog.logic import is_variable, term2list

from deepplp.errors import DeepPLPError, GroundingError, NonGroundError, UnsupportedConstructError
from deepplp.grounding.problog.aggregates import aggregate_builtins
from deepplp.grounding.problog.arithmetic import ARITHMETIC
from deepplp.grounding.problog.closures import call_as, closures
from deepplp.grounding.problog.collect import collected, lists
from deepplp.grounding.problog.construction import construction_builtins
from deepplp.grounding.problog.modules import guarded, listed
from deepplp.grounding.problog.ordering import ordering_builtins
from deepplp.grounding.problog.sized import sized_builtins
from deepplp.grounding.problog.vocabulary import (
    Argument,
    BuiltinFunction,
    CallOptions,
    NamedBuiltin,
    ProbableSolution,
    Solution,
)
from deepplp.program import Conjunction, Constant, Disjunction, Not, Term, list_items, readable

__all__ = ["replaced_builtins"]

_FEW_ATOMS = 12  # whose probabilities take no time
_CONNECTIVES = (Conjunction, Disjunction)
_CONTROL = (*_CONNECTIVES, Not)
_BROKEN = (("set_state", 1), ("reset_state", 0), ("check_state", 1), ("print_state", 0), ("condition", 1))
_LOADING = (
    ("use_module", 1),
    ("use_module", 2),
    ("_use_module", 2),
    ("_use_module", 3),
    ("consult", 1),
    ("_consult", 2),
)


def replaced_builtins(original: Callable[[str], BuiltinFunction]) -> Iterator[NamedBuiltin]:
    """Name, arity and function of every built-in that stands in for one of ProbLog's, which ``original`` gives."""
    yield from ordering_builtins()
    for name in ("findall", "all", "all_or_none"):
        yield name, 3, SimpleProbabilisticBuiltIn(_collector(name))
    yield from aggregate_builtins()
    yield from ARITHMETIC
    sized = {f"{name}/{arity}": function for name, arity, function in sized_builtins(original)}
    yield "between", 3, sized["between/3"]
    yield "length", 2, sized["length/2"]
    yield "sample_uniform1", 3, SimpleProbabilisticBuiltIn(_sample_uniform)
    yield from construction_builtins(original, sized["functor/3"])
    for name, arities in (("call", range(1, 10)), ("once", (1,)), ("call_nc", range(1, 10))):
        for arity in arities:
            yield name, arity, _caller(original(f"{name}/{arity}"), name)
    yield from closures(original("call/1"))
    for arity in (2, 3, 5):
        yield "subquery", arity, SimpleBuiltIn(_subquery(scoped=False))
        yield "subquery_in_scope", arity + 1, SimpleBuiltIn(_subquery(scoped=True))
    for name, arity in _BROKEN:
        yield name, arity, _refused(name, arity)
    nothing = BooleanBuiltIn(lambda *arguments, **call: True)
    for name, arity in _LOADING:
        yield name, arity, guarded(original(f"{name}/{arity}"), nothing, scoped=name[0] == "_")
    consult: BuiltinFunction = original("consult/1").base_function  # type: ignore[attr-defined]
    yield ".", 2, BooleanBuiltIn(listed(guarded(consult, lambda *arguments, **call: True, scoped=False)))


def _refused(name: str, arity: int) -> BuiltinFunction:
    """A built-in that ProbLog lists and cannot carry out."""

    def refuse(*arguments: Argument, **call: Unpack[CallOptions]) -> object:
        raise UnsupportedConstructError(
            f"{name}/{arity} does not work in ProbLog 2.3 either; hand values on as arguments, and give evidence by "
            "evidence/1 or evidence/2",
            call["engine"].locate(call.get("location")),
        )

    return refuse


def _collector(name: str) -> BuiltinFunction:
    """``findall/3``, ``all/3`` or ``all_or_none/3``; see `deepplp.grounding.problog.collect`."""

    def collect(pattern: Argument, goal: Term, result: Argument, **call: Unpack[CallOptions]) -> list[ProbableSolution]:
        engine = call["engine"]
        check_mode((pattern, goal, result), ["*cv", "*cl"], name, call.get("location"), call["database"])
        answers = collected(f"{name}/3", pattern, goal, call, proofs=name == "findall")
        position, lowest = engine.locate(call.get("location")), engine.context_min_var(call["context"])
        found = lists(answers, call["target"], pattern, goal, result, lowest, position, call["database"])
        return [(arguments, node) for arguments, node in found if name != "all" or str(arguments[2]) != "[]"]

    return collect


def _sample_uniform(key: Term, items: Term, result: Argument, **call: Unpack[CallOptions]) -> list[ProbableSolution]:
    """``sample_uniform1(Key, Items, Item)``: one item, all as likely, and the same one wherever the key is the same."""
    check_mode((key, items, result), ["gL*"], "sample_uniform1", call.get("location"), call.get("database"))
    values = list_elements(items)[0]
    group = ("uniform", str(key), str(items))
    found: list[ProbableSolution] = []
    for number, value in enumerate(values):
        try:
            item = unify_value(value, result, {}) if not is_variable(result) else value
        except UnifyError:
            continue
        probability = Constant(1.0 / len(values))
        found.append(((key, items, item), call["target"].add_atom((*group, number), probability, group=group)))
    return found


def _caller(builtin: BuiltinFunction, name: str) -> BuiltinFunction:
    """``call/N`` and its like, for goals made of ``,``, ``;`` and negation too."""

    def call(term: Argument, *more: Argument, **rest: Unpack[CallOptions]) -> object:
        if not isinstance(term, Term) or is_variable(term):
            raise NonGroundError(
                f"{name}/{1 + len(more)} is reached while its goal is not bound; bind it before the call",
                rest["engine"].locate(rest.get("location")),
            )
        if not more and isinstance(term, _CONTROL):
            return call_as(builtin, term, [term], rest)
        return builtin(term, *more, **rest)

    return call


def _subquery(scoped: bool) -> BuiltinFunction:
    """``subquery(Goal, P)``: the probability of a goal as a number, which no gradient flows through.

    Behind them may stand evidence, or evidence, a semiring and an evaluator of ProbLog's; a ``scoped`` one has the
    clauses that count in front.
    """

    def ask(*arguments: Argument, **call: Unpack[CallOptions]) -> list[Solution]:
        engine = call["engine"]
        scope, (goal, _, *more) = arguments[:scoped], arguments[scoped:]
        position = engine.locate(call.get("location"))
        check_mode(arguments, [("g" if scoped else "") + "cvLgg"[: 2 + len(more)]], functor="subquery")
        for asked in (goal, *(list_items(more[0]) or () if more else ())):
            engine.check_subquery(asked, position)
        try:
            found = _probabilities(goal, more, scope, call)
        except (DeepPLPError, ProbLogError):
            raise
        except Exception as error:
            if engine.failed_calls(error):  # what the goal calls is at fault
                raise
            raise UnsupportedConstructError(
                f"ProbLog's own compilers, which subquery/{len(arguments)} uses, cannot compute the probability of "
                f"{readable(goal)}; use the goal itself, or evidence",
                position,
            ) from error
        return [(*scope, answer, Constant(p), *more) for answer, p in found.items()]

    return ask


def _probabilities(
    goal: Argument, more: Sequence[Argument], scope: Sequence[Argument], call: CallOptions
) -> dict[Term, float]:
    """The probabilities of a goal's answers, ground and computed by ProbLog's own means."""
    evidence, semiring, evaluator = [*more, None, None, None][:3]
    included = _build_scope(scope[0]) if scope else None
    fresh, database = call["engine"].fresh(), call["database"]
    target = fresh.ground(database, _one_goal(goal), label="query", include=included)
    for term in [] if evidence is None else term2list(evidence, deep=False):
        target = fresh.ground(database, _one_goal(term), target, label=target.LABEL_EVIDENCE_POS, include=included)
    algebra = get_semiring(name=_text(semiring)).create(**call)
    kind = get_evaluatable(name=_text(evaluator), semiring=algebra)

    def evaluated() -> dict[Term, float]:
        found: dict[Term, float] = kind.create_from(target).evaluate(semiring=algebra)
        return {a.args[0]: p for a, p in found.items()} if isinstance(goal, _CONNECTIVES) else found

    if target.atomcount <= _FEW_ATOMS:
        return evaluated()
    return call["engine"].apart_from_this(evaluated, "subquery/2", call.get("location"))


def _one_goal(goal: Argument) -> Argument:
    """A goal as a call of one predicate, since ProbLog looks for clauses of ``,`` and ``;``."""
    if isinstance(goal, Not) and isinstance(goal.child, _CONNECTIVES):
        return Not(goal.functor, _one_goal(goal.child))
    return Term("call", goal) if isinstance(goal, _CONNECTIVES) else goal


def _text(name: Argument) -> str | None:
    if name is None:
        return None
    if not (isinstance(name, Constant) and name.is_string()):
        raise GroundingError("subquery: a semiring and an evaluator are strings")
    return str(name.functor).strip('"')
