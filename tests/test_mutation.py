"""What is written down about mutants is about the code as it is, and mutants are what they claim.

Clauses: none, this is about the tests.
"""

import ast

import pytest

from tests.mutation.known import TESTS, Known, read_known, source_of
from tests.traceability import ROOT


@pytest.mark.parametrize("known", read_known(), ids=lambda known: f"{known.module}:{known.before}")
def test_an_explained_mutant_is_of_a_line_of_the_code(known: Known) -> None:
    source = source_of(known.module)
    (function,) = (
        node
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef) and node.name == known.function
    )
    text = " ".join((ast.get_source_segment(source, function) or "").split())

    assert known.before in text
    assert known.after != known.before
    assert known.why


@pytest.mark.parametrize("module", TESTS)
def test_a_mutated_module_and_its_tests_exist(module: str) -> None:
    assert source_of(module)
    assert all((ROOT / "tests" / "unit" / name).is_file() for name in TESTS[module])


def test_mutants_differ_from_the_code_in_one_thing() -> None:
    pytest.importorskip("cosmic_ray", reason="comes with the extra 'mutation'")
    from tests.mutation.operators import mutants  # noqa: PLC0415  needs it, too

    source = """def older(one: int | None, two: int) -> bool:
    if one is None or two < 0:
        return False
    if most := max(two, 1):
        return one - 1 < most
    return one - 1 < max(two, 1)
"""

    found = mutants(source)

    texts = [mutant.after for mutant in found]
    assert len({mutant.code for mutant in found}) == len(found)
    assert all(ast.parse(mutant.code) for mutant in found)
    assert not any("int & None" in text for text in texts)  # types are left alone
    assert {
        "if one is not None or two < 0:",
        "if one is None and two < 0:",
        "if one is None or False:",
        "if one is None or two <= 0:",
        "if not (most := max(two, 1)):",
        "if True:",
        "return True",
        "return one + 1 < max(two, 1)",
        "return one - 1 >= max(two, 1)",
        "return one - 1 < min(two, 1)",
    } <= set(texts)
