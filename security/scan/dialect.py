"""The words of chat templates, harvested from those of the well-known families of models."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


KINDS = _words(
    "Template Output TemplateData Name NSRef Const Getattr Getitem Slice Add Sub Mul Div FloorDiv"
    " Mod Pow Neg Pos Not And Or Compare Operand Concat CondExpr Filter Test Call Keyword Pair Dict"
    " List Tuple If For Break Continue Assign AssignBlock Macro CallBlock FilterBlock Scope"
    " With"
)
FILTERS = _words(
    "abs batch capitalize count d default dictsort e escape first float format groupby indent int"
    " items join last length list lower map max min reject rejectattr replace reverse round safe"
    " select selectattr slice sort string striptags sum title tojson trim truncate unique upper"
    " urlencode wordcount"
)
TESTS = _words(
    "!= < <= == > >= boolean defined divisibleby eq equalto even false float ge greaterthan gt in"
    " integer iterable le lessthan lower lt mapping ne none number odd sameas sequence string true"
    " undefined upper"
)
FUNCTIONS = _words("caller dict namespace raise_exception range strftime_now")
METHODS = _words(
    "append capitalize copy count endswith extend find get index insert isalnum isalpha isdecimal"
    " isdigit islower isnumeric isspace istitle isupper items join keys lower lstrip partition pop"
    " removeprefix removesuffix replace rfind rindex rpartition rsplit rstrip split splitlines"
    " startswith strftime strip title update upper values"
)
# Ways from an object to the interpreter that need no underscore (Jinja's own sandbox names them).
REFLECTIVE = _words(
    "mro func_globals func_code func_closure func_defaults im_class im_func im_self gi_frame"
    " gi_code gi_yieldfrom cr_frame cr_code cr_await ag_frame ag_code ag_await f_back f_builtins"
    " f_code f_globals f_locals tb_frame tb_next co_code co_consts"
)
REACHING = _words("lipsum cycler joiner self super")
# Filters one of whose arguments names an attribute, and those whose first names a filter or test.
BY_ATTRIBUTE = {
    "selectattr": 0, "rejectattr": 0, "groupby": 0, "sum": 0, "join": 1, "unique": 1, "min": 1,
    "max": 1, "sort": 2,
}  # fmt: skip
BY_NAME = {"map": FILTERS, "select": TESTS, "reject": TESTS}
