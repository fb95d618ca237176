"""The card of a fold: its rows add up, its stretches are where they are, its paths are counted."""

import numpy as np
import pytest

from reports.example_result import market as example_market
from touchstone.data.cache import StageCache
from touchstone.dataset.paths import recombined
from touchstone.dataset.splits import SPLITS, timeline
from touchstone.pipelines.fold_cards import card, lay, path_numbers
from touchstone.pipelines.prepare import load, prepare
from touchstone.pipelines.progress import Silent
from touchstone.pipelines.study import parse_study
from touchstone.reports.sections import chosen

LOOKBACK = 24
SPLIT_SETTINGS = {
    "rolling": {"kind": "walk_forward", "train": "40d", "validate": "10d", "test": "15d",
                "folds": 3, "sealed": "20d"},
    "expanding": {"kind": "walk_forward", "train": "expanding", "validate": "10d", "test": "15d",
                  "folds": 2, "sealed": "20d"},
    "chronological": {"kind": "chronological", "sealed": "20d"},
    "k-fold": {"kind": "purged_kfold", "folds": 5, "sealed": "20d"},
    "no embargo": {"kind": "purged_kfold", "folds": 5, "sealed": "20d", "embargo": "1h"},
    "combinatorial": {"kind": "combinatorial", "groups": 5, "tests": 2, "sealed": "20d"},
    "monte carlo": {"kind": "monte_carlo", "draws": 3, "sealed": "20d"},
}  # fmt: skip


@pytest.fixture(scope="module")
def market(tmp_path_factory):
    """Bars, one instrument of which comes late, and their labels and windows."""
    folder = tmp_path_factory.mktemp("cards")
    study = parse_study(
        {
            "bars": {"source": "simulated", "market": {"n_instruments": 3, "n_bars": 3000}},
            "folds": SPLIT_SETTINGS["rolling"],
            "models": [{"kind": "logistic"}],
            "lookback": LOOKBACK,
        },
        folder,
        "here",
    )
    loaded, data = load(study, Silent())
    panel = loaded.panel
    late = (panel.asset_id == 1) & (panel.time < panel.time.min() + 60 * 86_400_000_000_000)
    loaded = loaded._replace(panel=panel.where(~late))
    return prepare(study, loaded, data, StageCache(folder / "cache"), Silent())


def folds_of(market, name):
    config = SPLITS.parse(SPLIT_SETTINGS[name])
    complete = np.zeros(len(market.panel), bool)
    for row in range(len(complete)):
        first = row - LOOKBACK + 1
        alone = first >= market.panel.offsets[market.panel.asset_id[row]]
        complete[row] = alone and np.isfinite(market.features[first : row + 1]).all()
    line = timeline(market.panel, market.labels, complete, LOOKBACK)
    return SPLITS.part_of(config)(config, line), line


def slow_counts(fold, line, seal):
    """Every row asked one by one where it belongs."""
    named = {"unusable": 0, "outside": 0, "n_sealed": 0, "purged": 0}
    kept = {*fold.train, *fold.validate, *fold.test}
    for row, known in enumerate(line.known):
        places = [
            part
            for part, ranges in fold.stretches._asdict().items()
            if any(start < known <= end for start, end in ranges)
        ]
        if not places:
            named["n_sealed" if known > seal else "outside"] += 1
        elif row not in kept:
            whole = line.has_window[row] and (places[0] == "test" or line.has_label[row])
            named["purged" if whole else "unusable"] += 1
    return named


@pytest.mark.parametrize("name", SPLIT_SETTINGS)
def test_rows_add_up_and_each_is_where_a_slow_count_puts_it(market, name):
    folds, line = folds_of(market, name)
    for fold in (*folds.folds, folds.final):
        told = card("1", fold, market.panel, folds.seal)
        slow = slow_counts(fold, line, folds.seal)
        assert told.unusable == slow["unusable"]
        assert told.outside == slow["outside"]
        assert told.n_sealed == slow["n_sealed"]
        purged = told.purged_train + told.purged_validate + told.embargoed
        assert purged == slow["purged"]
        kept = told.n_train + told.n_validate + told.n_test
        total = kept + purged + told.unusable + told.outside + told.n_sealed
        assert total == len(market.panel)
    assert folds.final.test.size > 0
    assert card("final", folds.final, market.panel, folds.seal).n_sealed == 0


def test_a_fold_around_its_test_has_a_train_range_in_pieces(market):
    folds, _ = folds_of(market, "k-fold")
    middle = card("3", folds.folds[2], market.panel, folds.seal)
    assert len(middle.train_stretches) == 2
    assert middle.train_stretches[0][1] == middle.test_stretches[0][0]
    assert middle.train_stretches[1][0] == middle.test_stretches[0][1]
    assert middle.train_span == (middle.train_stretches[0][0], middle.train_stretches[1][1])
    edges = {at for stretch in middle.kept_away for at in stretch}
    assert middle.test_stretches[0][0] in edges
    assert middle.test_stretches[0][1] in edges


def test_the_embargo_is_what_a_split_without_it_would_have_kept(market):
    with_, _ = folds_of(market, "k-fold")
    without, _ = folds_of(market, "no embargo")
    for fold, bare in zip(with_.folds[:-2], without.folds[:-2], strict=True):
        gained = bare.train.size - fold.train.size
        # An hour of embargo is left in the other: a row of each instrument, at most.
        assert 0 < gained <= fold.embargoed <= gained + market.panel.n_instruments
    assert with_.folds[-1].embargoed == 0  # nothing trains after the last block


def test_kept_away_lies_inside_the_ranges_and_holds_no_row_that_was_kept(market):
    for name in SPLIT_SETTINGS:
        folds, _ = folds_of(market, name)
        for fold in (*folds.folds, folds.final):
            known = market.panel.available_at[np.r_[fold.train, fold.validate]]
            for start, end in lay(fold, market.panel, folds.seal).kept_away:
                assert start < end
                # The bound itself is the first or last row that was kept.
                assert not ((known > start) & (known < end)).any()


def test_paths_are_those_that_recombining_takes(market):
    folds, _ = folds_of(market, "combinatorial")
    n = len(market.panel)
    named = path_numbers(folds, n)
    whose = [np.full(fold.test.size, float(i)) for i, fold in enumerate(folds.folds)]
    paths = recombined(folds, whose, n)
    assert len(paths) == 4  # C(4, 1)
    for i, joined in enumerate(named):
        assert joined == tuple(p + 1 for p in range(4) if (paths[p] == i).any())
    assert path_numbers(folds_of(market, "rolling")[0], n) == [()] * 3


def test_an_instrument_that_the_train_rows_never_saw_is_named(market):
    folds, _ = folds_of(market, "expanding")
    first = card("1", folds.folds[0], market.panel, folds.seal)
    assert first.unseen == ()
    early = folds.folds[0]._replace(train=folds.folds[0].train[:1])
    assert "S01" in card("1", early, market.panel, folds.seal).unseen


def test_the_page_draws_every_piece_and_names_the_paths(market):
    folds, _ = folds_of(market, "combinatorial")
    named = path_numbers(folds, len(market.panel))
    cards = tuple(
        card(str(i + 1), fold, market.panel, folds.seal, named[i])
        for i, fold in enumerate(folds.folds)
    )
    chart = chosen.view(example_market(folds=cards)).folds
    assert "around their tests" in chart.title
    n_pieces = sum(len(c.train_stretches) for c in cards)
    assert chart.body.count('class="train" x=') == n_pieces
    assert chart.body.count('class="away" x=') == sum(len(c.kept_away) for c in cards)
    heads = [column.text for column in chart.table.head]
    assert "Joins paths" in heads
    assert chart.table.rows[0][heads.index("Joins paths")] == "1"
