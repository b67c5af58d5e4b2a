"""What to use in place of the predicates of Prolog that ProbLog does not have."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from deepplp.program import PROVED, is_proved_half

__all__ = ["hint_for"]

_TEXT = "library(string) has concat/2, join/3, str2lst/2, lst2str/2 and sub_string/5"
_STATE = "a ground program has no state; hand values on as arguments"
_OUTPUT = "write/1 to write/9, writeln/1 to writeln/9 and nl/0 print while the program is ground"
_ERRORS = "test beforehand what a goal needs; error/1 to error/9 stop with a message"
_ASSOC = "keep pairs Key-Value in a list; member(Key-Value, Pairs) finds a value"
_CASE = "there is no change of case and no test of characters; state both forms as facts"
_FILES = "a program reads facts, files that it consults and CSV files; it writes to standard output alone"
_TYPES = "test with integer/1, atom/1, is_list/1 and the like, and stop with error/1 to error/9 where a test fails"
_LOOK = "a program does not look at its own clauses but by clause/2; deepplp ground and explain show what they give"
_DEBUG = "trace nothing while the program is ground; deepplp check, ground and explain show what it does"
_LIMITS = "give the call a budget: deepplp.GroundBudget, deepplp.CompileBudget"
_STRINGS = "a string in double quotes is a term of its own; " + _TEXT

# Signatures by what replaces them; those in a library are said to be in it.
_INSTEAD: Mapping[str, str] = MappingProxyType(
    {
        "bagof/3": "all/3 collects answers and fails where there are none",
        "setof/3": "findall(X, Goal, All), sort(All, Set) collects answers in order, each once; add Set \\= [] to fail "
        "where there are none",
        "aggregate_all/4": "aggregate_all(set(X), Goal, Set), length(Set, N) counts what is different; aggregate_all/3 "
        "adds up and takes extremes",
        "findall/4": "findall/3 and append/3",
        "=>/2": "at least is >=, a rule is head :- body; library(collect) has a =>/2 that collects answers",
        "->/2": "write (C, A) for C -> A, and (C, A ; \\+ C, B) for (C -> A ; B)",
        "*->/2": "write (C, A) for C *-> A, and (C, A ; \\+ C, B) for (C *-> A ; B)",
        "!/0": "the cut has no meaning in a probabilistic program; let goals exclude each other with \\+",
        "&/2": "and is a comma: a, b",
        "|/2": "or is a semicolon: a ; b",
        "~/1": "not is \\+",
        "~=/2": "a value is unified by =; continuous random variables there are none",
        "style_check/1": "there are no style checks; leave the directive out",
        "set_stream/2": "there are no streams; leave the directive out",
        "encoding/1": "files are UTF-8; leave the directive out",
        "license/1": "leave the directive out",
        "ignore/1": "(G ; \\+ G) holds always, with G's bindings where it holds",
        "apply/2": "call/2 to call/9",
        "nb_setval/2": _STATE,
        "nb_getval/2": _STATE,
        "b_setval/2": _STATE,
        "b_getval/2": _STATE,
        "flag/3": _STATE,
        "format/1": _OUTPUT,
        "format/2": _OUTPUT,
        "format/3": _OUTPUT,
        "print/1": _OUTPUT,
        "write_canonical/1": _OUTPUT,
        "print_message/2": _OUTPUT,
        "tab/1": _OUTPUT,
        "print/2": _OUTPUT,
        "tab/2": _OUTPUT,
        "nl/1": _OUTPUT,
        "writeq/1": _OUTPUT,
        "write_term/2": _OUTPUT,
        "put_char/1": _OUTPUT,
        "portray_clause/1": _OUTPUT,
        "sformat/2": _OUTPUT,
        "sformat/3": _OUTPUT,
        "with_output_to/2": _OUTPUT,
        "open/3": _FILES,
        "close/1": _FILES,
        "see/1": _FILES,
        "seen/0": _FILES,
        "tell/1": _FILES,
        "told/0": _FILES,
        "get_char/1": _FILES,
        "read_term/2": _FILES,
        "shell/1": "a program runs no others",
        "shell/2": "a program runs no others",
        "getenv/2": "hand values on as facts of the query",
        "halt/1": "a program ends when its queries are answered",
        "sleep/1": "leave it out",
        "repeat/0": "it would have answers without end; between/3 counts up to a bound",
        "must_be/2": _TYPES,
        "assertion/1": _TYPES,
        "is_of_type/2": _TYPES,
        "call_cleanup/2": "call the goals one after another; nothing is left open here",
        "setup_call_cleanup/3": "call the goals one after another; nothing is left open here",
        "call_with_time_limit/2": _LIMITS,
        "call_with_depth_limit/3": _LIMITS,
        "findnsols/4": "findall/3, and append/3 and length/2 to take some of the list",
        "aggregate/3": "aggregate_all/3 does not group; library(aggregate) has aggregate/5, which does",
        "foldr/4": "reverse/2 and foldl/4",
        "foldl1/3": "foldl/4 from the first item on: List = [X|Rest], foldl(P, Rest, X, Y)",
        "partition/6": "partition/4 twice, or include/3 with each test",
        "pairs_keys_values/3": "maplist([K-V, K, V]>>true, Pairs, Keys, Values)",
        "pairs_keys/2": "maplist([K-_, K]>>true, Pairs, Keys)",
        "pairs_values/2": "maplist([_-V, V]>>true, Pairs, Values)",
        "empty_assoc/1": _ASSOC,
        "list_to_assoc/2": _ASSOC,
        "put_assoc/4": _ASSOC,
        "get_assoc/3": _ASSOC,
        "assoc_to_list/2": _ASSOC,
        "assoc_to_keys/2": _ASSOC,
        "assoc_to_values/2": _ASSOC,
        "get_dict/3": _ASSOC,
        "put_dict/4": _ASSOC,
        "dict_pairs/3": _ASSOC,
        "ord_union/3": "append/3 and sort/2",
        "ord_subtract/3": "subtract/3",
        "ord_memberchk/2": "memberchk/2",
        "ord_insert/3": "sort/2 of the list with one item more",
        "sublist/3": "include/3",
        "succ_or_zero/1": "integer(N), N >= 0",
        "string_code/3": "there are no character codes; compare characters as atoms",
        "string_lower/2": _CASE,
        "string_upper/2": _CASE,
        "downcase_atom/2": _CASE,
        "char_type/2": _CASE,
        "code_type/2": _CASE,
        "text_concat/3": "library(string) has concat/2: concat([A, B], AB)",
        "concat_atom/2": "library(string) has concat/2",
        "concat_atom/3": "library(string) has join/3: join(Separator, List, Text)",
        "text_to_string/2": _STRINGS,
        "term_string/2": "terms and text are not turned into each other; use =../2 to take terms apart",
        "sformat/1": _OUTPUT,
        "atom_to_term/3": "terms and text are not turned into each other; use =../2 to take terms apart",
        "read_term_from_atom/3": "terms and text are not turned into each other; use =../2 to take terms apart",
        "term_hash/2": "compare terms by == or compare/3",
        "variant/2": "subsumes_term/2 both ways",
        "random_permutation/2": "select_uniform/4 chooses one item of a list, all as likely, and the next of the rest",
        "shuffle/2": "select_uniform/4 chooses one item of a list, all as likely, and the next of the rest",
        "prolog_flag/2": "there are no flags; leave the goal out",
        "current_prolog_flag/2": "there are no flags; leave the goal out",
        "current_op/3": "there are no operators but ProbLog's own",
        "listing/0": _LOOK,
        "listing/1": _LOOK,
        "current_predicate/1": _LOOK,
        "predicate_property/2": _LOOK,
        "spy/1": _DEBUG,
        "nospy/1": _DEBUG,
        "debug/0": _DEBUG,
        "thread_create/3": "goals are independent of the order in which they are called; call them one after another",
        "read/1": "put what a program should read into facts, a CSV file or the call's facts",
        "catch/3": _ERRORS,
        "throw/1": _ERRORS,
        "halt/0": "a program ends when its queries are answered",
        "atom_length/2": "library(string) turns text into a list: str2lst(Text, L), length(L, N)",
        "atom_chars/2": "library(string) has str2lst/2 and lst2str/2",
        "atom_codes/2": "library(string) has str2lst/2 and lst2str/2, for characters",
        "char_code/2": "there are no character codes; compare characters as atoms",
        "number_codes/2": "atom_number/2, or str2int/2 of library(string)",
        "atom_concat/3": "library(string) has concat/2: concat([A, B], AB)",
        "atomic_list_concat/2": "library(string) has concat/2",
        "atomic_list_concat/3": "library(string) has join/3: join(Separator, List, Text)",
        "sub_atom/5": "library(string) has sub_string/5",
        "atom_string/2": _STRINGS,
        "string_concat/3": "library(string) has concat/2: concat([A, B], AB)",
        "string_length/2": "library(string) turns text into a list: str2lst(Text, L), length(L, N)",
        "string_chars/2": "library(string) has str2lst/2 and lst2str/2",
        "string_codes/2": "library(string) has str2lst/2 and lst2str/2, for characters",
        "string_to_atom/2": _STRINGS,
        "split_string/4": _TEXT,
        "upcase_atom/2": "there is no change of case; state both forms as facts",
        "term_to_atom/2": "terms and text are not turned into each other; use =../2 to take terms apart",
        "copy_term/2": "findall(T, true, [Copy]) copies a term with new variables",
        "setarg/3": "terms do not change; use =../2 to build another one",
        "nb_setarg/3": "terms do not change; use =../2 to build another one",
        "string/1": "there is no test for strings; compare with ==",
        "number_string/2": "str2int/2 of library(string)",
        "random/1": "a probabilistic fact or an annotated disjunction is what is random here",
        "random/3": "select_uniform/4 or an annotated disjunction is what is random here",
        "random_between/3": "select_uniform/4 or an annotated disjunction is what is random here",
        "random_member/2": "select_uniform/4 chooses one item of a list, all as likely",
        "op/3": "there are no operators but ProbLog's own; write terms with parentheses",
        "initialization/1": "a directive runs when the program is loaded: :- goal.",
        "set_prolog_flag/2": "there are no flags; leave the directive out",
        "ensure_loaded/1": "consult/1, or use_module/1 for libraries",
        "include/1": "consult/1",
        "garbage_collect/0": "leave it out",
        "statistics/2": "measure outside of the program",
        "get_time/1": "measure outside of the program",
        "tnot/1": "\\+",
        "dif/2": "\\== on what is bound, or \\=",
        "when/2": "order the goals so that variables are bound when they are needed",
        "freeze/2": "order the goals so that variables are bound when they are needed",
        "unify_with_occurs_check/2": "= checks for cycles already",
        "?=/2": "== and \\=",
        "=@=/2": "subsumes_term/2 both ways",
        "term_variables/2": "state the variables in a list where the term is written",
        "nb_current/2": _STATE,
        "assert/1": "library(assert) has assertz/1: ':- use_module(library(assert)).'",
        "asserta/1": "library(assert) has assertz/1, which adds clauses at the end",
        "abolish/1": "library(assert) has retractall/1",
    }
)
_LIBRARIES: Mapping[str, str] = MappingProxyType(
    {
        "assert": "assertz/1 retract/1 retractall/1",
        "record": "current_key/1 recorda/2 recorda/3 recordz/2 recordz/3 erase/1 recorded/2 recorded/3 instance/2",
        "string": "concat/2 join/3 str2lst/2 lst2str/2 str2int/2 sub_string/5",
        "cut": "cut/1 cut/2",
        "aggregate": "aggregate/5",
        "control": "on_fail/2",
        "db": "csv_load/2 sqlite_load/1",
    }
)


def hint_for(signature: str, library: str | None = None) -> str | None:
    """What to say to a program that calls a predicate of Prolog's, or one of a ``library`` that it does not load."""
    signature = signature.replace("'", "")
    name, _, arity = signature.rpartition("/")
    if is_proved_half(name):
        return f"no clauses for {name.removesuffix(PROVED)}/{arity} but those that deny it; state what makes it hold"
    if name == "nn" and arity in "2345":
        return "nn stands before what a network decides, not in a body: nn(net, [X], Y, [a, b]) :: p(X, Y)"
    named = (name for name, exported in _LIBRARIES.items() if signature in exported.split())
    library = library or next(named, None)
    if library is not None:
        return f"{signature} is a predicate of library({library}): ':- use_module(library({library})).'"
    instead = _INSTEAD.get(signature)
    return None if instead is None else f"ProbLog has no {signature}; {instead}"
