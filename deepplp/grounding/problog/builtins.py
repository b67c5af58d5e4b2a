"""ProbLog's built-ins that work otherwise here: collecting, calling, sampling and asking in a program of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from problog.engine_builtin import IndirectCallCycleError, check_mode, list_elements
from problog.engine_stack import SimpleBuiltIn, SimpleProbabilisticBuiltIn, VarReindex
from problog.engine_unify import UnifyError, substitute_simple, unify_value
from problog.errors import ProbLogError
from problog.logic import And, Clause, Constant, Not, Or, Term, is_variable

from deepplp.errors import DeepPLPError, GroundingError, NonGroundError, Position, UnsupportedConstructError
from deepplp.grounding.problog.collect import lists, merged_answers, proved_answers, solutions
from deepplp.program import readable

__all__ = ["install_builtins"]

_CONTROL = (And, Or, Not)
_BROKEN = (("set_state", 1), ("reset_state", 0), ("check_state", 1), ("print_state", 0), ("condition", 1))


def install_builtins(engine: Any, target_class: Callable[..., Any]) -> None:
    """Replace built-ins of an engine; ``target_class`` makes the formula in which findall/3 grounds its goal."""
    engine.add_builtin("findall", 3, SimpleProbabilisticBuiltIn(_collector("findall", target_class)))
    engine.add_builtin("all", 3, SimpleProbabilisticBuiltIn(_collector("all", target_class)))
    engine.add_builtin("all_or_none", 3, SimpleProbabilisticBuiltIn(_collector("all_or_none", target_class)))
    engine.add_builtin("sample_uniform1", 3, SimpleProbabilisticBuiltIn(_sample_uniform))
    engine.add_builtin("arg", 3, SimpleBuiltIn(_arg))
    engine.add_builtin("functor", 3, SimpleBuiltIn(_functor(engine.get_builtin(engine.get_builtins()["functor/3"]))))
    for name, arities in (("call", range(1, 10)), ("once", (1,)), ("call_nc", range(1, 10))):
        for arity in arities:
            builtin = engine.get_builtin(engine.get_builtins()[f"{name}/{arity}"])
            engine.add_builtin(name, arity, _caller(builtin, name))
    for arity in (2, 3, 5):
        builtin = engine.get_builtin(engine.get_builtins()[f"subquery/{arity}"])
        engine.add_builtin("subquery", arity, _subquery(builtin))

    for name, arity in _BROKEN:
        engine.add_builtin(name, arity, _refused(name, arity))


def _refused(name: str, arity: int) -> Any:
    """A built-in that ProbLog lists and cannot carry out."""

    def refuse(*arguments: Any, **call: Any) -> Any:
        raise UnsupportedConstructError(
            f"{name}/{arity} does not work in ProbLog 2.3 either; hand values on as arguments, and give evidence by "
            "evidence/1 or evidence/2",
            call["engine"].locate(call.get("location")),
        )

    return refuse


def _collector(name: str, target_class: Callable[..., Any]) -> Any:
    """``findall/3``, ``all/3`` or ``all_or_none/3``; see `deepplp.grounding.problog.collect`."""

    def collect(pattern: Any, goal: Any, result: Any, **call: Any) -> list[Any]:
        engine, database, target = call["engine"], call["database"], call["target"]
        check_mode((pattern, goal, result), ["*cv", "*cl"], name, call.get("location"), database)
        position = engine.locate(call.get("location"))
        own = target_class(keep_order=True, keep_all=True, keep_duplicates=True) if name == "findall" else target
        with engine.apart(_goal_key(name, goal), lambda: _cycle(name, goal, position), fresh=own is not target):
            try:
                results = solutions(engine, database, own, pattern, goal, call.get("call_origin"))
            except (AssertionError, IndirectCallCycleError):
                raise _cycle(name, goal, position) from None
        answers = proved_answers(results, own, target) if own is not target else merged_answers(results, target)
        lowest = engine.context_min_var(call["context"])
        found = lists(answers, target, pattern, goal, result, lowest, position)
        return [(arguments, node) for arguments, node in found if name != "all" or str(arguments[2]) != "[]"]

    return collect


def _goal_key(name: str, goal: Any) -> tuple[str, str]:
    return name, str(substitute_simple(goal, VarReindex()))


def _cycle(name: str, goal: Any, position: Position | None) -> GroundingError:
    return GroundingError(
        f"{name}/3 collects the answers of {readable(goal)} while these are being found: they depend on themselves; "
        f"collect the answers of a goal that does not lead back to this call of {name}/3",
        position,
    )


class _Bound:
    """Variables by what unification has bound them to, or themselves."""

    def __init__(self, values: dict[Any, Any]) -> None:
        self._values = values

    def __getitem__(self, variable: Any) -> Any:
        return self._values.get(variable, variable)


def _arg(index: Any, term: Any, argument: Any, **call: Any) -> list[Any]:
    """``arg(Index, Term, Argument)``; what the argument is unified with is bound in the term, too."""
    check_mode((index, term, argument), ["In*"], "arg", call.get("location"), call.get("database"))
    number = int(index) - 1
    if not 0 <= number < len(term.args):
        return []
    bound: dict[Any, Any] = {}
    try:
        found = unify_value(term.args[number], argument, bound)
    except UnifyError:
        return []
    return [(index, substitute_simple(term, _Bound(bound)), found)]


def _functor(builtin: Any) -> Any:
    """``functor(Term, Name, Arity)``; the arguments of a new term are variables of their own."""

    def solve(term: Any, name: Any, arity: Any, **call: Any) -> list[Any]:
        results = list(builtin.base_function(term, name, arity, **call))
        if not is_variable(term):
            return results
        lowest = call["engine"].context_min_var(call["context"]) - 1
        return [(made.with_args(*range(lowest, lowest - made.arity, -1)), name, arity) for made, name, arity in results]

    return solve


def _sample_uniform(key: Any, items: Any, result: Any, target: Any = None, **call: Any) -> list[Any]:
    """``sample_uniform1(Key, Items, Item)``: one item, all as likely, and the same one wherever the key is the same."""
    check_mode((key, items, result), ["gL*"], "sample_uniform1", call.get("location"), call.get("database"))
    values = list_elements(items)[0]
    group = ("uniform", str(key), str(items))
    solutions = []
    for number, value in enumerate(values):
        try:
            item = unify_value(value, result, {}) if not is_variable(result) else value
        except UnifyError:
            continue
        probability = Constant(1.0 / len(values))
        solutions.append(((key, items, item), target.add_atom((*group, number), probability, group=group)))
    return solutions


def _caller(builtin: Any, name: str) -> Any:
    """``call/N`` and its like, for goals made of ``,``, ``;`` and negation too."""

    def call(term: Any, *more: Any, **rest: Any) -> Any:
        if is_variable(term):
            raise NonGroundError(
                f"{name}/{1 + len(more)} is reached while its goal is not bound; bind it before the call",
                rest["engine"].locate(rest.get("location")),
            )
        if not more and isinstance(term, _CONTROL):
            variables = list(dict.fromkeys(term.variables()))
            head = Term(rest["engine"].get_non_cache_functor(), *variables)
            extended = rest["database"].extend()
            extended += Clause(head, term)
            return _call_as(builtin, term, head, variables, {**rest, "database": extended})
        return builtin(term, *more, **rest)

    return call


def _call_as(builtin: Any, term: Term, head: Term, variables: list[Any], rest: dict[str, Any]) -> Any:
    """Call a clause that stands for a goal, and hand its answers back as instances of the goal."""
    engine = rest["engine"]
    outer = rest.get("transform")

    def instance(result: Any) -> Any:
        bound = dict(zip(variables, result[0].args, strict=True))
        answer = substitute_simple(term, bound)
        context = engine.create_context([answer], parent=result)
        return outer(context) if outer is not None else context

    return builtin(head, **{**rest, "transform": _After(instance)})


class _After:
    """Functions on results, the one that was added last first."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self._functions = [function]

    def addFunction(self, function: Callable[[Any], Any]) -> None:  # noqa: N802 (ProbLog's name)
        self._functions.append(function)

    def __call__(self, result: Any) -> Any:
        for function in reversed(self._functions):
            result = function(result)
            if result is None:
                return None
        return result


def _subquery(builtin: Any) -> Any:
    """``subquery(Goal, P)``: the probability of a goal as a number, which no gradient flows through."""

    def ask(goal: Any, *more: Any, **call: Any) -> Any:
        engine = call["engine"]
        position = engine.locate(call.get("location"))
        engine.check_subquery(goal, position)
        try:
            return builtin(goal, *more, **call)
        except (DeepPLPError, ProbLogError):
            raise
        except Exception as error:
            raise UnsupportedConstructError(
                f"ProbLog cannot compute subquery({readable(goal)}, …): {type(error).__name__}: {error}", position
            ) from error

    return ask
