"""The mutants of a source text: by operators of cosmic-ray that can mean something, and by ours."""

import ast
import difflib
import re
from collections.abc import Iterator

import attrs
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator

# Of an order the three that imply the others (what kills these kills the rest); no `==` for `is`.
_ORDERS = {
    "Eq": ("NotEq", "LtE", "GtE"),
    "NotEq": ("Eq", "Lt", "Gt"),
    "Lt": ("LtE", "NotEq", "GtE"),
    "LtE": ("Lt", "Eq", "Gt"),
    "Gt": ("GtE", "NotEq", "LtE"),
    "GtE": ("Gt", "Eq", "Lt"),
    "Is": ("IsNot",),
    "IsNot": ("Is",),
}
# Sets have `|`, `&`, `-` and numbers `+`, `-`; what neither has only ends in a TypeError.
_SUMS = {
    "BitOr": ("BitAnd", "Sub"),
    "BitAnd": ("BitOr", "Sub"),
    "Sub": ("BitOr", "BitAnd", "Add"),
    "Add": ("Sub",),
    "Pow": ("Mul",),
}
COSMIC_RAY = (
    *(f"ReplaceComparisonOperator_{old}_{new}" for old, to in _ORDERS.items() for new in to),
    *(f"ReplaceBinaryOperator_{old}_{new}" for old, to in _SUMS.items() for new in to),
    "ReplaceAndWithOr",
    "ReplaceOrWithAnd",
    "ReplaceTrueWithFalse",
    "ReplaceFalseWithTrue",
    "AddNot",
    "ReplaceUnaryOperator_Delete_Not",
    "NumberReplacer",
    "ReplaceContinueWithBreak",
    "ReplaceBreakWithContinue",
    "ZeroIterationForLoop",
)
"""Not here: RemoveDecorator (`@clause` is a mark that another test reads), the operators for
exceptions (the core raises none) and those that make up names."""

MODULE = "the module"
"""Where a mutant is that is in no function."""

_NOT_OF_ASSIGNMENT = re.compile(r"\bif not (\w+ := .*):$", re.MULTILINE)
"""What AddNot makes of `if a := b:`, which is no Python."""

Place = tuple[int, int]
"""Line, from 1, and column, from 0."""

Part = ast.expr | ast.stmt | ast.keyword


@attrs.frozen(kw_only=True)
class Mutant:
    """A source text in which one thing is different."""

    operator: str
    function: str
    before: str
    after: str
    code: str = attrs.field(repr=False)


def mutants(source: str) -> list[Mutant]:
    """All mutants of the source, each once, in the order of the source."""
    tree = ast.parse(source)
    found: dict[str, tuple[int, Mutant]] = {}
    for operator, line, code in [*_by_cosmic_ray(source, tree), *_by_us(source, tree)]:
        if code not in found and "not not" not in code:  # `not not` is what Delete_Not does, too
            before, after = _difference(source, code)
            mutant = Mutant(
                operator=operator,
                function=_function_at(tree, line),
                before=before,
                after=after,
                code=code,
            )
            found[code] = line, mutant
    return [mutant for _, mutant in sorted(found.values(), key=lambda pair: pair[0])]


def _by_cosmic_ray(source: str, tree: ast.Module) -> Iterator[tuple[str, int, str]]:
    unmeant = list(_annotations(tree))
    nodes = list(ast_nodes(get_ast(source)))
    for name in COSMIC_RAY:
        operator = get_operator(f"core/{name}")()
        places = [place for node in nodes for place in operator.mutation_positions(node)]
        for occurrence, (start, _) in enumerate(places):
            if any(first <= start < last for first, last in unmeant):
                continue
            code = mutate_code(source, operator, occurrence)
            if code is not None:
                yield name, start[0], _NOT_OF_ASSIGNMENT.sub(r"if not (\1):", code)


def _annotations(tree: ast.Module) -> Iterator[tuple[Place, Place]]:
    """Where types and decorators stand; `|` there is no operation and a flag there is no rule."""
    for node in ast.walk(tree):
        found: list[ast.expr | None] = []
        if isinstance(node, ast.FunctionDef):
            found += [node.returns, *node.decorator_list]
        elif isinstance(node, ast.ClassDef):
            found += node.decorator_list
        elif isinstance(node, ast.arg | ast.AnnAssign):
            found.append(node.annotation)
        for part in found:
            if part is not None:
                yield _span(part)


def _span(node: Part) -> tuple[Place, Place]:
    return (node.lineno, node.col_offset), (node.end_lineno or 0, node.end_col_offset or 0)


def _by_us(source: str, tree: ast.Module) -> Iterator[tuple[str, int, str]]:
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        for node in ast.walk(function):
            for operator, part, text in _replacements(node):
                yield operator, part.lineno, _with(source, _span(part), text)


def _replacements(node: ast.AST) -> Iterator[tuple[str, Part, str]]:
    """The operators, which part of the node they replace, and with what."""
    match node:
        case ast.stmt() if _has_effect(node):
            yield "DeleteStatement", node, "pass"
        case ast.If(test=test) | ast.IfExp(test=test):
            yield "ConditionTrue", test, "True"
            yield "ConditionFalse", test, "False"
        case ast.comprehension(ifs=tests):
            for test in tests:
                yield "ConditionTrue", test, "True"
        case ast.BoolOp(op=op, values=operands):
            for operand in operands:
                yield "DropOperand", operand, str(isinstance(op, ast.And))
        case ast.Return(value=ast.Constant(value=None) as value):
            yield "ReturnState", value, "state"
        case ast.Call():
            yield from _of_call(node)
        case _:
            pass


def _of_call(call: ast.Call) -> Iterator[tuple[str, Part, str]]:
    name = ast.unparse(call.func)
    if name in {"min", "max"}:
        yield "SwapExtreme", call.func, "max" if name == "min" else "min"
    if name in {"attrs.evolve", "Notice", "Reply"}:
        for keyword in call.keywords:
            if keyword.arg != "what":  # a Notice cannot be made without
                yield "DropKeyword", keyword, "**{}"


def _has_effect(node: ast.stmt) -> bool:
    """Whether the rest still has all its names without this statement."""
    if isinstance(node, ast.Expr):
        return not isinstance(node.value, ast.Constant)
    if isinstance(node, ast.Assign):
        read = {part.id for part in ast.walk(node.value) if isinstance(part, ast.Name)}
        return all(isinstance(to, ast.Name) and to.id in read for to in node.targets)
    return isinstance(node, ast.AugAssign)


def _with(source: str, span: tuple[Place, Place], text: str) -> str:
    lines = source.splitlines(keepends=True)
    (first, start), (last, end) = span
    head = lines[first - 1][:start]
    tail = lines[last - 1][end:]
    return "".join([*lines[: first - 1], head + text + tail, *lines[last:]])


def _difference(source: str, code: str) -> tuple[str, str]:
    """The lines that differ, before and after."""
    before, after = source.splitlines(), code.splitlines()
    changes = [
        change
        for change in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
        if change[0] != "equal"
    ]
    first, last = changes[0], changes[-1]
    return _shown(before[first[1] : last[2]]), _shown(after[first[3] : last[4]])


def _shown(lines: list[str]) -> str:
    return " ".join(line.strip() for line in lines)


def _function_at(tree: ast.Module, line: int) -> str:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.lineno <= line <= (node.end_lineno or 0):
            return node.name
    return MODULE
