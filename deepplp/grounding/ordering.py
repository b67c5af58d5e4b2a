"""Built-ins that compare and sort terms, in the standard order of terms.

They are functions of terms, in which negative integers are variables: what they return is unified with one of their
arguments by the engine that calls them. ProbLog's own built-ins compare numbers as text, and are not called.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from deepplp.program import Constant, Term, Var, is_ground, list_items, readable, standard_order_key

__all__ = ["COMPARISONS_OF_TERMS", "LIST_TESTS", "ORDERING_FUNCTIONS", "ArgumentFaultError", "OrderingFunction"]


class ArgumentFaultError(ValueError):
    """A built-in cannot be carried out on these arguments; the text says what it needs."""


def _comparison(compare: Callable[[Any, Any], bool]) -> Callable[[object, object], bool]:
    def holds(left: object, right: object) -> bool:
        return compare(standard_order_key(left), standard_order_key(right))

    return holds


COMPARISONS_OF_TERMS: Mapping[str, Callable[[object, object], bool]] = MappingProxyType(
    {
        "@</2": _comparison(operator.lt),
        "@>/2": _comparison(operator.gt),
        "@=</2": _comparison(operator.le),
        "@>=/2": _comparison(operator.ge),
        "==/2": _comparison(operator.eq),
        "\\==/2": _comparison(operator.ne),
    }
)


def _memberchk(member: object, items: object) -> bool:
    found = list_items(items)
    key = standard_order_key(member)
    return found is not None and any(standard_order_key(item) == key for item in found)


def _needs_list(signature: object, items: object) -> bool:
    _items(items, readable(signature))
    return True


def _is_no_list(term: object) -> bool:
    return list_items(term) is None


def _all_different(items: object) -> bool:
    keys = _keys(items, "all_different/1")
    return len(set(keys)) == len(keys)


def _ordered(items: object) -> bool:
    keys = _keys(items, "ordered/1")
    return all(a <= b for a, b in itertools.pairwise(keys))


def _keys(items: object, signature: str) -> list[tuple[Any, ...]]:
    found = _items(items, signature)
    if not all(isinstance(item, Term) and is_ground(item) for item in found):
        raise ArgumentFaultError(f"{signature} compares values, and {readable(items)} holds a variable: bind it before")
    return [standard_order_key(item) for item in found]


LIST_TESTS: Mapping[str, Callable[..., bool]] = MappingProxyType(
    {
        "$memberchk/2": _memberchk,
        "$needs_list/2": _needs_list,
        "$no_list/1": _is_no_list,
        "$all_different/1": _all_different,
        "$ordered/1": _ordered,
    }
)
"""Tests that clauses of library(lists) call: whether a ground term is in a ground list, an error for no list, and what
is no list. The last is no negation, behind which ProbLog's engine goes on within findall/3 even where that is false.
The others are ``all_different/1`` and ``ordered/1`` of programs that do not define these themselves.
"""


@dataclass(frozen=True, slots=True)
class OrderingFunction:
    """A built-in that computes one of its arguments, number ``output``, from the others.

    ``function`` takes all arguments and returns what the output is unified with, None where the built-in fails. It
    raises `ArgumentFaultError` for arguments that it cannot do anything with.
    """

    function: Callable[..., Term | None]
    output: int


def _compare(order: object, left: object, right: object) -> Term:
    if isinstance(order, Term) and not isinstance(order, Var) and _name(order) not in ("<", "=", ">"):
        raise ArgumentFaultError(f"the first argument of compare/3 is one of <, = and >, not {readable(order)}")
    before, after = standard_order_key(left), standard_order_key(right)
    return Term("<" if before < after else ">" if before > after else "=")


def _name(term: object) -> str:
    """The text of an atom, empty for anything else."""
    if not isinstance(term, Term) or isinstance(term, (Constant, Var)) or term.arity:
        return ""
    return str(term.functor).strip("'")


def _items(items: object, signature: str) -> list[Any]:
    found = None if items is None or isinstance(items, int) else list_items(items)
    if found is None:
        raise ArgumentFaultError(f"{signature} needs a list whose end is known, not {readable(items)}")
    return found


def _list(items: Sequence[Any]) -> Term:
    found = Term("[]")
    for item in reversed(items):
        found = Term(".", item, found)
    return found


def _firsts(items: Iterable[Any], key: Callable[[Any], Any]) -> list[Any]:
    """The items without those whose key an earlier one has."""
    found: dict[object, Any] = {}
    for item in items:
        found.setdefault(key(item), item)
    return list(found.values())


def _sort(items: object, ordered: object) -> Term:
    return _list(sorted(_firsts(_items(items, "sort/2"), standard_order_key), key=standard_order_key))


def _msort(items: object, ordered: object) -> Term:
    return _list(sorted(_items(items, "msort/2"), key=standard_order_key))


def _keysort(pairs: object, ordered: object) -> Term:
    found = _items(pairs, "keysort/2")
    for pair in found:
        if not isinstance(pair, Term) or pair.arity != 2 or str(pair.functor).strip("'") != "-":
            raise ArgumentFaultError(f"keysort/2 sorts pairs such as key-value, not {readable(pair)}")
    return _list(sorted(found, key=lambda pair: standard_order_key(pair.args[0])))


def _sort_by(argument: object, order: object, items: object, ordered: object) -> Term:
    number = argument.functor if isinstance(argument, Constant) else None
    if not isinstance(number, int) or number < 0:
        raise ArgumentFaultError(
            f"the first argument of sort/4 is 0, or the number of the argument to sort by, not {readable(argument)}"
        )
    if _name(order) not in ("@<", "@>", "@=<", "@>="):
        raise ArgumentFaultError(f"the second argument of sort/4 is one of @<, @>, @=< and @>=, not {readable(order)}")
    found = _items(items, "sort/4")
    for item in found if number else ():
        if not isinstance(item, Term) or item.arity < number:
            raise ArgumentFaultError(f"sort/4 sorts by argument {number}, which {readable(item)} does not have")

    def key(item: Any) -> tuple[Any, ...]:
        return standard_order_key(item.args[number - 1] if number else item)

    if "=" not in _name(order):
        found = _firsts(found, key)
    return _list(sorted(found, key=key, reverse=">" in _name(order)))


def _list_to_set(items: object, found: object) -> Term:
    return _list(_firsts(_items(items, "list_to_set/2"), standard_order_key))


def _extreme(signature: str, choose: Callable[..., Any]) -> Callable[[object, object], Term | None]:
    def chosen(items: object, member: object) -> Term | None:
        found: Sequence[Any] = _items(items, signature)
        most: Term | None = choose(found, key=standard_order_key, default=None)
        return most

    return chosen


ORDERING_FUNCTIONS: Mapping[str, OrderingFunction] = MappingProxyType(
    {
        "compare/3": OrderingFunction(_compare, 0),
        "sort/2": OrderingFunction(_sort, 1),
        "$msort/2": OrderingFunction(_msort, 1),
        "$keysort/2": OrderingFunction(_keysort, 1),
        "$sort/4": OrderingFunction(_sort_by, 3),
        "$list_to_set/2": OrderingFunction(_list_to_set, 1),
        "$max_member/2": OrderingFunction(_extreme("max_member/2", max), 1),
        "$min_member/2": OrderingFunction(_extreme("min_member/2", min), 1),
    }
)
"""By signature. Clauses of library(lists) call those that start with $, so that a program may have its own."""
