"""A sweep of settings over scores: every combination, one row of the ledger, its page."""

import json
import re

import numpy as np
import polars as pl
import pytest

from small import scores_frame, touchstone, write_bars
from touchstone.data.sources import Loaded
from touchstone.errors import ConfigError
from touchstone.ledger import MemoryLedger
from touchstone.pipelines import sweep as pipeline
from touchstone.pipelines.axes import Axis, combinations, describe, is_ordered, read_combinations
from touchstone.pipelines.progress import Silent
from touchstone.pipelines.scores import backtest_scores
from touchstone.pipelines.sweep import Asked, sweep_scores, table, write_sweep
from touchstone.reports.sweep import Around, standing, told
from touchstone.reports.sweep_page import page
from walks import random_panel

PANEL = random_panel(3, 700, seed=4)
SCORE = np.random.default_rng(8).random(len(PANEL))
BARS = Loaded(PANEL, (), (), "test", None)
SETTINGS = {
    "strategy": {"kind": "threshold", "max_positions": 2},
    "label": {"kind": "triple_barrier", "horizon": 4},
}
AXES = [
    Axis("strategy.entry_threshold", (0.6, 0.7, 0.8, 0.9)),
    Axis("strategy.exit_threshold", (None, 0.3, 0.65)),
    Axis("costs.slippage_bp", (0, 5)),
]


def asked(settings=SETTINGS, axes=AXES):
    return Asked(combinations(settings, axes), (BARS, "data-hash"), SCORE, None)


@pytest.fixture(scope="module")
def swept():
    ledger = MemoryLedger()
    wish = asked()
    return wish, ledger, sweep_scores(wish, ledger, Silent())


def strategy_file(folder, text):
    path = folder / "strategy.yaml"
    path.write_text(text)
    return path


def test_each_combination_is_the_backtest_of_its_settings_and_is_named_alike(swept):
    wish, ledger, found = swept
    result = found.result
    assert [row[0] for row in ledger.rows] == ["sweep"]
    for k in (0, 7, len(result.accounts) - 1):
        own = MemoryLedger()
        alone = backtest_scores(wish.grid.points[k].config, wish.loaded, SCORE, own, None)
        account, of_it = result.accounts[k], alone.performance
        assert account.fingerprint == alone.fingerprint
        assert account.net_return == of_it.net_return
        assert (account.sharpe, account.n_trades) == (pytest.approx(of_it.sharpe), of_it.n_trades)
        assert account.cost_paid == pytest.approx(of_it.cost_paid)
        assert account.break_even_cost_bp == pytest.approx(of_it.break_even_cost_bp)
        assert account.exposure == pytest.approx(of_it.exposure)
        [[_, span, (counted,)]] = own._sweeps
        [mine] = [c for c in ledger.candidates(span) if c.fingerprint == counted.fingerprint]
        assert mine == counted  # to the bit: one candidate, however it was tried


def test_combinations_that_make_no_strategy_are_left_out_and_told(swept):
    result = swept[2].result
    assert sum(result.refused.values()) == 2  # exit 0.65 above entry 0.6, at two costs
    assert result.n_trials == len(result.accounts) == 4 * 3 * 2 - 2
    assert "0.65" in next(iter(result.refused))
    assert any("make no strategy" in line for line in told(result))


def test_the_best_is_said_to_be_the_best_of_so_many(swept):
    result = swept[2].result
    winner = result.winner
    assert winner.sharpe == max(a.sharpe for a in result.accounts if a.n_trades >= 20)
    assert result.n_candidates == result.n_trials
    assert 0 <= result.deflated_sharpe <= 1
    assert result.luck > 0
    assert result.around.n == len(result.around.accounts) > 2
    said = "\n".join(told(result))
    assert f"The best of {result.n_trials} is the best of {result.n_trials}" in said
    again = sweep_scores(asked(), swept[1], Silent()).result  # the same trials count once
    assert again.model_dump() == result.model_dump()


def test_trials_that_were_tried_before_count_too():
    ledger = MemoryLedger()
    sweep_scores(asked(axes=[Axis("strategy.entry_threshold", (0.5, 0.55))]), ledger, Silent())
    result = sweep_scores(asked(), ledger, Silent()).result
    assert result.n_candidates == result.n_trials + 2
    assert "after 2\u00a0candidates that were scored on these rows before" in told(result)[-1]


def test_an_interrupted_sweep_counts_every_combination_and_keeps_the_scores_it_has(monkeypatch):
    blocks = pipeline.sweep_blocks

    def stopped(*args):
        yield next(blocks(*args))
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "sweep_blocks", stopped)
    wish, ledger = asked(axes=[*AXES, Axis("label.horizon", (2, 4))]), MemoryLedger()
    with pytest.raises(KeyboardInterrupt):
        sweep_scores(wish, ledger, Silent())
    [[_, span, counted]] = ledger._sweeps
    assert len(counted) == len(wish.grid.points)
    scored = [c for c in counted if c.daily_sharpe is not None]
    assert 0 < len(scored) < len(counted)
    assert span.symbols == PANEL.symbols


def test_a_strategy_that_names_weights_can_be_swept():
    settings = {"strategy": {"kind": "score_weighted", "by": "probability", "weighting": "rank"}}
    wish = asked(settings, [Axis("strategy.buffer", (0.0, 0.1))])
    result = sweep_scores(wish, MemoryLedger(), Silent()).result
    for point, account in zip(wish.grid.points, result.accounts, strict=True):
        alone = backtest_scores(point.config, wish.loaded, SCORE, MemoryLedger(), None)
        assert account.net_return == alone.performance.net_return
        assert account.max_drawdown == pytest.approx(alone.performance.max_drawdown)


def test_the_best_of_losers_has_neighbours_and_no_plateau(swept):
    losing = swept[2].result
    around = losing.around.model_copy(update={"word": "alone"})
    losing = losing.model_copy(update={"around": around})
    assert "shows no gain" in standing(losing)
    html = page(losing, 7, "")
    assert "without neighbours" not in html
    assert "and it earns nothing" in html


def test_no_trades_are_no_best():
    result = sweep_scores(
        asked(axes=[Axis("strategy.entry_threshold", (0.9999, 1.0))]), MemoryLedger(), Silent()
    ).result
    assert (result.best, result.deflated_sharpe, result.around) == (None, None, None)
    assert any("best      none" in line for line in told(result))


def test_the_neighbours_of_a_best_that_lost_are_not_denied(swept):
    result = swept[2].result
    beside = {"word": "alone", "n": 5, "median": -2.0, "lowest": -3.0, "above_zero": 0.0}
    lost = result.model_copy(update={"around": Around(**beside, accounts=(0, 1, 2, 3, 4))})
    assert standing(lost).startswith("The best itself shows no gain")
    assert "without neighbours" not in page(lost, 7, "touchstone sweep")
    none = Around(word="alone", n=0, median=None, lowest=None, above_zero=None, accounts=())
    single = result.model_copy(update={"around": none})
    assert standing(single) == "Nothing can be said of its neighbours"
    assert "without neighbours" in page(single, 7, "touchstone sweep")


def test_page_picture_and_table_hold_what_was_found(swept, tmp_path):
    found = swept[2]
    folder = write_sweep(found, tmp_path, "touchstone sweep <&>")
    html, svg = (folder / "report.html").read_text(), (folder / "map.svg").read_text()
    result = found.result
    assert f"Of {result.n_trials}\u00a0trials the best shows a Sharpe of" in html
    assert "Best of many" in html
    assert "touchstone sweep &lt;&amp;&gt;" in html
    assert "http" not in html.replace('http-equiv="Content-Security-Policy"', "")
    cells = re.findall(r'<rect class="bar', html)
    assert len(cells) == 2 * 4 * 3  # a map for each slippage
    assert svg.count("<rect") == 1 + 4 * 3 + 1  # paper, cells, frame
    assert (folder / "map.png").read_bytes().startswith(b"\x89PNG")
    rows = table(result)
    assert rows.columns[:3] == [axis.key for axis in AXES]
    assert rows.height == result.n_trials
    assert rows["strategy.exit_threshold"].dtype == pl.Float64
    assert json.loads((folder / "result.json").read_text())["n_trials"] == result.n_trials


def test_lists_and_ranges_of_a_file_are_axes_and_typed_ones_take_their_place(tmp_path):
    path = strategy_file(
        tmp_path,
        "strategy: {kind: threshold, entry_threshold: {from: 0.5, to: 0.7, step: 0.1},\n"
        "           max_positions: [2, 4]}\ncosts: {slippage_bp: 3}\n",
    )
    grid = read_combinations(
        path, ["max_positions=1:7:3", "hold_bars=4,8", "exit_threshold=null,.1"]
    )
    assert [(a.key, a.values) for a in grid.axes] == [
        ("strategy.entry_threshold", (0.5, 0.6, 0.7)),
        ("strategy.max_positions", (1, 4, 7)),
        ("label.horizon", (4, 8)),
        ("strategy.exit_threshold", (None, 0.1)),
    ]
    assert len(grid.points) == 36
    last = grid.points[-1]
    assert last.config.label.horizon == 8
    assert last.config.costs.slippage_bp == 3
    assert describe(grid.axes, last.place)["strategy.exit_threshold"] == 0.1


def test_a_strategy_of_several_candidates_gives_them_as_an_axis(tmp_path):
    grid = read_combinations(strategy_file(tmp_path, "kind: threshold\n"))
    assert grid.axes == (
        Axis("strategy.entry_threshold", (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)),
    )


@pytest.mark.parametrize(
    ("text", "typed", "message"),
    [
        ("kind: threshold\nentry_threshold: 0.5\n", [], "nothing to sweep"),
        ("kind: threshold\nentry_treshold: [0.5, 0.6]\n", [], "Did you mean 'entry_threshold'"),
        ("kind: threshold\n", ["hold=3"], r"no such key\. Known here"),
        ("kind: threshold\n", ["entry_threshold"], "needs KEY=A,B,C"),
        ("kind: threshold\n", ["entry_threshold=0.5:0.9"], "needs KEY=A,B,C or KEY=FROM:TO:STEP"),
        ("kind: threshold\n", ["entry_threshold=0.5:0.9:0"], "no step of 0 leads from 0.5 to 0.9"),
        ("kind: threshold\n", ["entry_threshold=0.5:0.9:-0.1"], "no step of -0.1 leads"),
        ("kind: threshold\n", ["entry_threshold=a:b:c"], "needs KEY=A,B,C or KEY"),
        ("kind: threshold\n", ["entry_threshold=0.5,1.5"], r"no combination with 1\.5 works"),
        ("kind: threshold\n", ["entry_threshold=0.5,0.5"], "0.5 stands twice"),
        ("kind: threshold\n", ["max_positions=1,2", "strategy.max_positions=3,4"], "given twice"),
        ("kind: threshold\n", ["entry_threshold=0.5,.nan"], "nan is no value to sweep"),
        ("kind: threshold\n", ["costs.commission_bp=-5,10"], "no combination with -5 works"),
        ("kind: threshold\n", ["account.cash=1,2"], "deposits cannot be compared"),
        ("kind: threshold\n", ["seed=1,2"], "no such key|chooses no strategy"),
        ("kind: threshold\nmax_positions: []\n", [], "an empty list"),
        ("kind: threshold\n", ["max_positions=1:50000:1"], "too many"),
        ("kind: threshold\n", ["max_positions=1:9000:1"], "81,000 combinations"),
        ("strategy: {kind: threshold}\ntune: f1\n", [], "tune: finds one threshold"),
    ],
)  # fmt: skip
def test_a_bad_grid_is_refused_by_file_key_and_value(tmp_path, text, typed, message):
    with pytest.raises(ConfigError, match=message) as told_:
        read_combinations(strategy_file(tmp_path, text), typed)
    assert len(str(told_.value)) < 700


def test_what_is_near_on_an_axis():
    assert is_ordered(Axis("k", (1, 2, 3)))
    assert is_ordered(Axis("k", (None, 0.3, 0.2)))
    assert not is_ordered(Axis("k", (0.1, None, 0.2)))
    assert not is_ordered(Axis("k", (1, 3, 2)))
    assert not is_ordered(Axis("k", (True, False)))
    assert not is_ordered(Axis("k", ("a", "b")))


def test_the_command_sweeps_prints_and_counts(tmp_path):
    bars = write_bars(tmp_path / "bars", PANEL)
    scores_frame(PANEL, SCORE).write_parquet(tmp_path / "scores.parquet")
    path = strategy_file(tmp_path, "{kind: threshold, entry_threshold: [0.7, 0.8, 0.9]}")
    words = ("sweep", "--bars", bars, "--scores", tmp_path / "scores.parquet", "--strategy", path,
             "--out", tmp_path)  # fmt: skip
    code, out, err = touchstone(
        *words, "--grid", "max_positions=1,3", "--table", tmp_path / "t.csv", "--json"
    )
    assert code == 0, err
    result = json.loads(out)
    assert result["n_trials"] == 6
    assert pl.read_csv(tmp_path / "t.csv").height == 6
    assert (tmp_path / "sweeps" / result["fingerprint"] / "report.html").is_file()
    code, out, err = touchstone("ledger", "list", "--out", tmp_path, "--json")
    assert code == 0, err
    assert out.count('"sweep"') == 1
    code, out, err = touchstone(*words, "--quiet")
    assert (code, err) == (0, "")
    assert "after 6\u00a0candidates" in out  # those that the first command tried
    code, _, err = touchstone(*words, "--grid", "hold=3")
    assert (code, "no such key" in err) == (2, True)
