"""The house keeps its shape: sizes, names, floors, a first line that says what a file holds."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HOUSE = ROOT / "src" / "touchstone"
NOBODY = set("utils util helpers helper common core misc manager managers base tools lib".split())
LONGER: dict[str, str] = {
    "cli/stages.py:backtest": "an option a line, as the user may type them",
}
NOT_NAMES = set(
    "candle candles kline klines ohlcv_df tick_data ticker tickers lookahead window_size "
    "pnl_curve slippage_pct model_file production_model proba".split()
)
PURE = (
    "market simulation features labels metrics execution dataset strategies models training "
    "backtest rl ensembles explain"
).split()


def pyproject():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def rooms():
    found = {p.name for p in HOUSE.iterdir() if p.is_dir() and (p / "__init__.py").exists()}
    return sorted(found | {p.stem for p in HOUSE.glob("*.py") if p.stem[0] != "_"})


@pytest.mark.parametrize(
    "path", sorted(HOUSE.rglob("*.py")), ids=lambda p: str(p.relative_to(HOUSE))
)
def test_file(path):
    text, where = path.read_text(), path.relative_to(HOUSE)
    assert text.count("\n") <= 400, f"{where}: {text.count(chr(10))} lines, 400 at most"
    assert not {path.stem, path.parent.name} & NOBODY, f"{where}: name what it holds"
    tree = ast.parse(text)
    assert ast.get_docstring(tree), f"{where}: say in one line what it holds"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and f"{where}:{node.name}" not in LONGER:
            length = lines_of_code(node)
            assert length <= 50, f"{where}:{node.name}: {length} lines of code, 50 at most"
    names = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
    names |= {n.arg for n in ast.walk(tree) if isinstance(n, ast.arg)}
    assert not names & NOT_NAMES, f"{where}: words the house does not use: {names & NOT_NAMES}"


def lines_of_code(function):
    """Lines from `def` to the end, less the docstring."""
    first = function.body[0]
    docstring = first.end_lineno - first.lineno + 1 if ast.get_docstring(function) else 0
    return function.end_lineno - function.lineno + 1 - docstring


def test_every_pure_room_that_exists_is_under_the_contract():
    contracts = pyproject()["tool"]["importlinter"]["contracts"]
    pure = next(c for c in contracts if c["name"] == "Pure rooms do no I/O")["source_modules"]
    assert sorted(pure) == sorted(f"touchstone.{r}" for r in PURE if r in rooms())


def test_readme_floors_are_the_contracts_floors():
    layers = pyproject()["tool"]["importlinter"]["contracts"][0]["layers"]
    enforced = [sorted(re.sub(r"[() ]", "", layer).split("|")) for layer in layers]
    block = (ROOT / "ARCHITECTURE.md").read_text().split("```floors\n")[1].split("```")[0]
    told = [sorted(re.findall(r"[a-z]+", line.split("  ")[0])) for line in block.splitlines()]
    assert told == enforced


def test_every_room_stands_in_the_architecture():
    table = (ROOT / "ARCHITECTURE.md").read_text()
    missing = [room for room in rooms() if f"| `{room}` |" not in table]
    assert not missing, f"ARCHITECTURE.md has no row for {missing}"


def test_the_project_speaks_of_itself_alone():
    here = re.compile(r"/work/|/root/|\bsession\b.{0,20}\bagent\b|\bissue #?\d", re.IGNORECASE)
    files = [p for p in ROOT.rglob("*") if p.suffix in {".py", ".md", ".yaml", ".toml"}]
    skip = {".venv", ".venv-peers", "runs", ".touchstone", "node_modules", "build"}
    told = [
        str(p.relative_to(ROOT))
        for p in files
        if not skip & set(p.relative_to(ROOT).parts)
        and p != Path(__file__)
        and here.search(p.read_text())
    ]
    assert not told
