"""What is wrong with a call of a built-in: its arguments, in the words of a program."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from problog.engine_builtin import CallModeError, mode_types
from problog.engine_unify import substitute_simple
from problog.logic import is_variable

from deepplp.errors import NoValueError
from deepplp.grounding.problog.vocabulary import Argument, BuiltinFunction
from deepplp.grounding.tensor_arithmetic import is_tensor
from deepplp.program import NumberSizeError, Term, Var, arithmetic_fault, is_ground, readable, without_scope

__all__ = ["ARITHMETIC", "CallBindings", "arithmetic_error", "builtin_fault"]

ARITHMETIC = frozenset({"is/2", "</2", ">/2", "=</2", ">=/2", "=:=/2", "=\\=/2"})
_KINDS: Mapping[str, str] = {
    "integer": "an integer",
    "positive_integer": "an integer from 0 on",
    "float": "a float",
    "var": "a free variable",
    "nonvar": "bound",
    "list": "a list",
    "fixed_list": "a list of known length",
    "compare": "<, = or >",
    "ground": "a term without variables",
    "atom": "an atom",
    "callable": "a goal",
    "object": "an object",
    "string": "a text or an atom",
}
_TESTS = dict(mode_types.values())


@dataclass(frozen=True, slots=True)
class CallBindings:
    """The arguments of a call: variables that are free by the names that the clause gives them.

    ``values`` are the clause's variables that are bound to something ground.
    """

    arguments: tuple[Argument, ...]
    values: Mapping[str, Term]

    @classmethod
    def of(cls, arguments: Sequence[Argument], written: Sequence[object]) -> CallBindings:
        """The bindings of a call that stands in the program with the arguments ``written``; () where it does not."""
        names: dict[Argument, Var] = {}
        values: dict[str, Term] = {}
        stack = list(zip(arguments, written, strict=False)) if len(arguments) == len(written) else []
        while stack:
            argument, source = stack.pop()
            if not isinstance(source, Term):
                continue
            if isinstance(source, Var) and str(source) != "_":
                if isinstance(argument, Term) and argument.is_ground():
                    values[str(source)] = argument
                elif not isinstance(argument, Term):
                    names[argument] = source
            elif isinstance(argument, Term) and argument.arity == source.arity:
                stack += zip(argument.args, source.args, strict=True)
        return cls(tuple(substitute_simple(a, _Named(names)) for a in arguments), dict(sorted(values.items())))


class _Named:
    """Variables by the names that a clause gives them, others as they are."""

    def __init__(self, names: Mapping[Argument, Var]) -> None:
        self._names = names

    def __getitem__(self, variable: Argument) -> Argument:
        return self._names.get(variable, variable)


def arithmetic_error(
    signature: str,
    call: CallBindings,
    error: Exception,
    functions: Mapping[tuple[str, int], BuiltinFunction],
    inputs: Collection[str],
) -> NoValueError:
    """The error of ``is/2`` or a comparison one of whose sides has no value.

    ``functions`` are those of arithmetic that the program has added, ``inputs`` the names of tensors.
    """
    sides = call.arguments[1:] if signature == "is/2" else call.arguments

    def has_value(term: object) -> bool:
        return is_tensor(term, inputs) and is_ground(term)

    faults = (arithmetic_fault(side, functions, has_value) for side in sides)
    fault = next((f for f in faults if f is not None), None)
    reason = str(fault or "numbers and texts have no common order")
    if isinstance(error, NumberSizeError):
        reason = str(error)
    where = ", ".join(f"{variable} = {value}" for variable, value in call.values.items())
    message = f"this arithmetic has no value: {reason}{f' (here {where})' if where else ''}"
    atoms = {str(value) for value in call.values.values() if type(value) is Term and not value.args}
    if fault is not None and fault.part in atoms and fault.part[:1].islower():
        message += f"; if it stands for a tensor, give it to the call: inputs {{{fault.part!r}: …}}"
    return NoValueError(message, part="" if fault is None else fault.part)


def builtin_fault(signature: str, call: CallBindings, error: Exception) -> str:
    """Why a call of another built-in fails, for an exception that it has raised."""
    name, arguments = without_scope(signature.rpartition("/")[0]), call.arguments
    signature = f"{name}/{len(arguments)}"
    goal = f"{name}({', '.join(map(readable, arguments))})"
    if name == ".":
        return f"a list as a goal consults the files that it names, and {goal} is no list of names"
    modes = [mode.split(", ") for mode in getattr(error, "expected", ())]
    if modes and (len(modes[0]) == len(arguments) or getattr(error, "scope", None) == signature):
        return _mode_fault(signature, arguments, modes)
    if isinstance(error, CallModeError) and not modes:
        needed = error.base_message.rpartition("expected: ")[2].replace("arg #", "argument ")
        return f"{signature} does not take {goal}: it needs a {needed}"
    return f"{signature} does not take these arguments: {goal}"


def _mode_fault(signature: str, arguments: Sequence[Argument], modes: Sequence[Sequence[str]]) -> str:
    """What is wrong with arguments that fit none of the combinations of kinds that a built-in takes."""
    for number, argument in enumerate(arguments):
        kinds = list(dict.fromkeys(mode[number] for mode in modes if number < len(mode)))
        if not kinds or any(_TESTS[kind](argument) for kind in kinds):
            continue
        wanted = " or ".join(_KINDS[kind] for kind in kinds)
        if is_variable(argument) or isinstance(argument, Var):
            shown = f" ({argument})" if isinstance(argument, Term) else ""
            must = "bind it in a goal before this one" if kinds == ["nonvar"] else f"it must be {wanted}"
            return f"argument {number + 1}{shown} of {signature} is not bound when it is reached; {must}"
        return f"argument {number + 1} of {signature} is {readable(argument)}; it must be {wanted}"
    taken = " or ".join(f"({', '.join(_KINDS.get(kind, 'anything') for kind in mode)})" for mode in modes)
    shown = ", ".join(map(readable, arguments))
    return f"{signature} does not take these arguments together: ({shown}); it takes {taken}"
