"""Runs side by side: which keys differ, whose figures, and a loud word where the data differ."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.example_result import example
from reports.test_study_in_browser import CUT, OVERLAPS, SMALL
from small import touchstone
from touchstone.reports.compare import comparison, figures, table_lines, warnings
from touchstone.reports.compare_page import page
from touchstone.reports.folds import ChoiceScores
from touchstone.reports.result import to_json
from touchstone.reports.settings import differing

ATOMS = st.none() | st.integers(-3, 3) | st.text("ab", max_size=3)
LEAVES = ATOMS | st.lists(st.integers(-3, 3), min_size=2, max_size=3)
TREES = st.recursive(LEAVES, lambda t: st.dictionaries(st.sampled_from("xyz"), t))
CONFIGS = st.dictionaries(st.sampled_from("abc"), TREES, min_size=1)


def without(tree, keys):
    """The tree less some dotted keys, and less what is empty."""
    found = {}
    for name, part in tree.items():
        below = [k.partition(".")[2] for k in keys if k.partition(".")[0] == name]
        if "" not in below:
            found[name] = without(part, below) if isinstance(part, dict) else part
    return {k: v for k, v in found.items() if v != {}}


@settings(max_examples=50)
@given(st.lists(CONFIGS, min_size=2, max_size=4))
def test_without_the_keys_that_are_told_the_configs_are_the_same(configs):
    found = differing(configs)
    first, *others = [without(one, found) for one in configs]
    assert all(one == first for one in others)
    for row in found.values():
        assert len(row) == len(configs)
        assert len(set(row)) > 1
    assert differing([configs[0], configs[0]]) == {}


def test_parts_are_told_by_their_kind_wherever_they_stand():
    gru, mlp, beta = {"kind": "gru", "hidden": 8}, {"kind": "mlp", "hidden": 4}, {"kind": "beta"}
    few = {"models": [mlp], "calibrator": beta, "margin": [0, 20.0], "side": {}}
    isotonic = {"kind": "isotonic", "min_rows": 50}
    many = {"models": [gru, mlp, mlp], "calibrator": isotonic, "margin": [0.0, 20, 40]}
    assert differing([few, many]) == {
        "models.gru": ("-", "hidden 8"),
        "models.mlp 2": ("-", "mlp, hidden 4"),
        "calibrator": ("beta", "isotonic, min_rows 50"),
        "margin": ("0, 20", "0, 20, 40"),
    }
    some, more = ["BTC", "ETH", "SOL", "ADA"], ["BTC", "ETH", "XRP", "SOL"]
    assert differing([{"symbols": some}, {"symbols": more}, {"symbols": more[:2] + more[3:]}]) == {
        "symbols": ("ADA, and 3 the same", "XRP, and 3 the same", "3 the same")
    }
    assert differing([{"rules": [gru, mlp]}, {"rules": [mlp, gru]}]) == {
        "rules": ("gru, mlp", "mlp, gru")
    }


def run(**changes):
    result = example(config={"costs": {"commission_bp": 10}, "models": [{"kind": "gru"}]})
    return result.model_copy(update=changes)


def learned():
    """A result whose folds looked at epochs."""
    result = run()
    choice = ChoiceScores(
        choice="epoch", model="gru", measure="pr_auc", options=(1.0, 2.0, 3.0),
        scores=(0.1, 0.3, None), chosen=2.0,
    )  # fmt: skip
    folds = tuple(f.model_copy(update={"choices": (choice,)}) for f in result.market.folds)
    return run(market=result.market.model_copy(update={"folds": folds}))


def on_other_bars(result, **changes):
    data = result.market.data.model_copy(update={"hash": "f" * 64})
    return result.model_copy(
        update={"market": result.market.model_copy(update={"data": data, **changes})}
    )


def test_the_same_run_twice_differs_in_nothing():
    told = comparison([("a", run()), ("b", run())])
    assert (told.same_data, told.same_days, told.differing) == (True, True, {})
    assert warnings(told) == []
    assert "The same config in every key." in table_lines(told)


def test_other_data_are_said_before_any_figure():
    told = comparison([("a", run()), ("b", on_other_bars(run()))])
    assert not told.same_data
    assert table_lines(told)[0].startswith("Warning: not the same data.")
    assert warnings(told)[0].broken
    text = page(told, [run(), on_other_bars(run())], "touchstone compare a b")
    assert text.index("Not the same data") < text.index("<h1>")


def test_other_sealed_days_and_losers_are_said():
    span = ("2022-01-01T00:00Z", "2022-02-01T00:00Z")
    other = run(market=run().market.model_copy(update={"sealed_span": span, "sealed": None}))
    told = comparison([("a", run()), ("b", other)])
    assert [w.title for w in warnings(told)] == ["Other days", "Before the seal"]
    assert told.runs[1].judged_on == "walk_forward"
    assert told.runs[1].sharpe == other.market.walk_forward.sharpe


def test_figures_are_those_of_the_results():
    dear = run(config={"costs": {"commission_bp": 30}, "models": [{"kind": "gru"}]})
    told = comparison([("a", run()), ("b", dear)])
    assert told.differing == {"costs.commission_bp": ("10", "30")}
    one, sealed, skill = told.runs[0], run().market.sealed, run().market.skill
    assert (one.sharpe, one.sharpe_interval) == (sealed.sharpe, sealed.sharpe_interval)
    assert (one.cost_paid, one.n_trades) == (sealed.cost_paid, sealed.n_trades)
    assert (one.direction_auc, one.touch_auc) == (skill.direction_auc, skill.touch_auc)


def test_a_run_that_earned_nothing_says_no_span_of_it():
    market = run().market.model_copy(update={"sealed": None, "walk_forward": None})
    rows = figures(comparison([("a", run()), ("b", run(market=market))]))["money"]
    cells = {row.name.strip(): row.cells for row in rows}
    assert cells["net return, %"][1] == cells["over"][1] == "–"
    assert cells["over"][0] in ("a year", "the segment")


@pytest.mark.parametrize("harm", ["cut", "bytes", "list", "key"])
def test_a_damaged_run_is_named_in_one_line(tmp_path, harm):
    whole = to_json(run())
    content = {"cut": whole[:-99], "bytes": b"\xff", "list": b"[1]",
               "key": whole.replace(b'"verdict"', b'"verdikt"', 1)}[harm]  # fmt: skip
    for name, text in (("good", whole), ("bad", content)):
        (tmp_path / "runs" / name).mkdir(parents=True)
        (tmp_path / "runs" / name / "result.json").write_bytes(text)
    code, out, err = touchstone("compare", "good", "bad", "--out", tmp_path)
    assert (code, out) == (3, "")
    [line] = err.splitlines()
    assert line.startswith(f"error: {tmp_path / 'runs' / 'bad'}: result.json: ")


def test_the_page_stands_alone_and_takes_no_name_as_html():
    results = [learned(), on_other_bars(run())]
    told = comparison([("<b>a</b>", results[0]), ("b", results[1])])
    text = page(told, results, "touchstone compare <x>")
    assert "<b>a</b>" not in text
    assert "<x>" not in text
    for outside in ("http://", "https://", "<script", "src="):
        assert outside not in text
    assert "gru: best at 2" in text
    assert len(text) < 3_000_000


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_in_a_browser(chromium, tmp_path, width):
    results = [
        learned(),
        on_other_bars(run()),
        run().model_copy(update={"market": run().null_twin}),
    ]
    names = ["quickstart-1cb296fafe5d", "my-own-study-0123456789ab", "small-b"]
    told = comparison(list(zip(names, results, strict=True)))
    (tmp_path / "compare.html").write_text(page(told, results, "touchstone compare a b c"))
    here = chromium.new_page(viewport={"width": width, "height": 900})
    here.goto((tmp_path / "compare.html").as_uri())
    assert here.evaluate("document.documentElement.scrollWidth") <= width
    assert [here.evaluate(script) for script in (OVERLAPS, SMALL, CUT)] == [[], [], []]
    here.close()
