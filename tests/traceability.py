"""The clauses of spec/, who realises them and who shows them, as they stand in the repository.

`python -m tests.traceability --write` renews what is generated in spec/: TRACE.md, dialects.md and
claims.md.
"""

import ast
import importlib
import re
import sys
from pathlib import Path
from typing import Final

from model_check.legs import claims
from reference.spec import dialects
from reference.spec.chapters import CLAUSE_ID, read_chapters
from reference.spec.ties import read_functions
from reference.spec.trace import Trace, Witness

ROOT: Final = Path(__file__).parent.parent
SPEC: Final = ROOT / "spec"


def read_tests() -> list[Witness]:
    """Every test file, with the clauses that its module docstring names after `Clauses:`."""
    return [_read_test(path) for path in sorted((ROOT / "tests").rglob("test_*.py"))]


def _read_test(path: Path) -> Witness:
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    named = re.search(r"^Clauses:(.*?)(?:\n\n|\Z)", docstring, re.MULTILINE | re.DOTALL)
    text = named[1] if named else ""
    name = path.relative_to(ROOT).as_posix()
    ids = tuple(dict.fromkeys(CLAUSE_ID.findall(text)))
    return Witness(name, ids, excused=text.strip().startswith("none"))


def read_models() -> list[Witness]:
    """Every model by its name, with the clauses that it or one of its properties names."""
    try:
        registry = importlib.import_module("model_check.models")
    except ModuleNotFoundError:
        return []
    return [
        Witness(
            f"model {name}",
            tuple(
                dict.fromkeys(
                    [
                        *getattr(model, "clauses", ()),
                        *(p.clause for p in model.properties if getattr(p, "clause", "")),
                    ]
                )
            ),
        )
        for name, model in getattr(registry, "MODELS", {}).items()
    ] + [Witness("model window", importlib.import_module("model_check.timed.scope").CLAUSES)]


def read_trace() -> Trace:
    """The specification with everything that is tied to it, as it stands in the repository."""
    return Trace(read_chapters(SPEC), read_functions(), read_tests(), read_models())


def generated() -> dict[Path, str]:
    """What each generated file of the specification must contain."""
    trace = read_trace()
    return {
        SPEC / "TRACE.md": trace.table(),
        SPEC / "dialects.md": dialects.table(trace.clauses),
        SPEC / "claims.md": claims.table(),
    }


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        for path, content in generated().items():
            path.write_text(content, encoding="utf-8")
    elif sys.argv[1:]:
        sys.exit("usage: python -m tests.traceability [--write]")
    else:
        sys.stdout.write("\n".join(generated().values()))
