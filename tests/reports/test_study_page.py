import re
from html.parser import HTMLParser
from importlib import resources

import pytest

from reports.example_result import RUN, example, market, thresholds
from touchstone.reports.figures import percent
from touchstone.reports.result import (
    CalibrationPoint,
    Curve,
    DataCard,
    LedgerCounts,
    MarketResult,
    Performance,
    Slice,
    ThresholdPoint,
    VerdictResult,
)
from touchstone.reports.sections import chosen, data, verdict
from touchstone.reports.sections import skill as section
from touchstone.reports.sections.thresholds import view as thresholds_view
from touchstone.reports.study import MAX_BYTES, render
from touchstone.reports.terminal import summary_lines

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\"'><b>&amp;{{7*7}}"


def none_alone():
    return example(market=market(seed=8, edge=0.003, word="none"), null_twin=None)


def bare():
    """The least that a result may hold."""
    verdict = VerdictResult(word="none", reason="no_candidate", sentence="Nothing was tried.")
    card = DataCard(
        source="csv",
        hash="0",
        timeframe="1h",
        calendar="XNYS",
        first="2022-01-03",
        last="2022-01-04",
        n_instruments=1,
        n_rows=14,
    )
    least = MarketResult(title="My bars", verdict=verdict, data=card)
    return example(market=least, null_twin=None, config={}, versions={})


def one_day():
    curve = Curve(day=["2022-10-20"], equity=[1.0], drawdown=[0.0])
    part = Performance(net_return=0.0, curve=curve, n_trades=1)
    return example(market=market(sealed=part, walk_forward=part), null_twin=None)


def exploratory():
    verdict = VerdictResult(word="exploratory", sentence="Seen before.", sealed_days=40)
    card = market().data.model_copy(update={"survivorship": "Delisted instruments are missing."})
    seen = market(
        verdict=verdict, data=card, ledger=LedgerCounts(n_looks_studies=3, exploratory=True)
    )
    return example(market=seen)


def crowded():
    slices = [
        Slice(
            group="symbol",
            name=f"SYM{i}.LONG/USD",
            n_trades=9,
            net_return_bp_per_trade=i - 70.0,
            interval=(i - 900.0, i + 900.0),
        )
        for i in range(143)
    ]
    return example(market=market(where=slices, features=[f"f{i}" for i in range(150)]))


PAGES = {
    "pair": example,
    "none": none_alone,
    "bare": bare,
    "one day": one_day,
    "exploratory": exploratory,
    "crowded": crowded,
}


@pytest.fixture(scope="module", params=PAGES)
def page(request):
    return render(PAGES[request.param](), RUN)


class Reader(HTMLParser):
    VOID = set("meta link img br hr input path rect".split())

    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.ids, self.broken = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.ids += [v for k, v in attrs if k == "id"]
        if tag not in self.VOID - {"path", "rect"}:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.broken.append(tag)


def test_it_stands_alone(page):
    assert len(page.encode()) <= MAX_BYTES
    tags = Reader(page).tags
    assert not {t for t, _ in tags} & set("link img iframe object embed video audio base".split())
    assert not [a for _, a in tags if set(a) & {"src", "srcset", "data"}]
    assert all(a["href"].startswith("#") for _, a in tags if "href" in a)
    assert not re.search(r"url\(|@import|https?://|fetch\(|XMLHttp", page)
    assert "default-src 'none'" in page


def test_it_is_well_formed_and_its_ids_are_unique(page):
    reader = Reader(page)
    assert not reader.broken
    assert not reader.open
    assert len(set(reader.ids)) == len(reader.ids)
    targets = {a["popovertarget"] for _, a in reader.tags if "popovertarget" in a}
    assert targets <= set(reader.ids)
    labelled = {a["aria-labelledby"] for _, a in reader.tags if "aria-labelledby" in a}
    assert labelled <= set(reader.ids)


def test_every_chart_has_a_title_and_a_table(page):
    for figure in re.findall(r"<figure.*?</figure>", page, re.S):
        assert re.search(r"<h3[^>]*>[^<]{8,}</h3>", figure)
        assert "<table>" in figure
        assert "<summary>Table: " in figure


def test_the_seven_sections_stand_in_order(page):
    found = re.findall(r'<section id="(\w+)"', page)
    assert found == "verdict money costs skill where chosen data".split()


def test_no_number_is_printed_as_python_prints_it(page):
    words = re.sub(r"<script>.*?</script>|<style>.*?</style>", "", page, flags=re.S)
    assert not re.search(
        r"\b(nan|inf|None|NaN)\b|\b\d[\d.]*[eE][-+]?\d+\b", re.sub(r"<pre.*?</pre>", "", words)
    )


def test_same_result_same_page():
    assert render(example(), RUN) == render(example(), RUN)


def test_hostile_names_stay_names():
    base = example()
    plain_tags = [t for t, _ in Reader(render(base, RUN)).tags]
    text = base.model_dump_json()
    for name in (
        "quickstart",
        "S03",
        "lightgbm",
        "feature_1",
        "Planted market",
        "naive timestamps",
        "cost_aware, margin 20 bp",
        "The edge is real after costs",
    ):
        text = text.replace(name, HOSTILE.replace("\\", "").replace('"', '\\"'))
    run = RUN._replace(
        command=HOSTILE,
        host=HOSTILE,
        started=HOSTILE,
        git=HOSTILE,
        versions={HOSTILE: HOSTILE},
        stages=((HOSTILE, 1.0),),
    )
    page = render(type(base).model_validate_json(text), run)
    reader = Reader(page)
    assert not reader.broken
    tags = [t for t, _ in reader.tags]
    assert tags.count("script") == plain_tags.count("script") == 1
    assert "img" not in tags
    assert not [a for _, a in reader.tags if any(k.startswith("on") for k in a)]
    assert "{{7*7}}" in page


def test_red_is_for_broken_conditions_only():
    assert 'class="banner broken"' not in render(example(), RUN)
    page = render(exploratory(), RUN)
    assert page.count('class="banner broken"') == 1
    assert page.count('class="banner warning"') == 2
    assert "3 different studies have looked" in page


def test_no_trade_looks_meant():
    page = render(none_alone(), RUN)
    for words in (
        "No evidence of an edge",
        "Nothing traded, nothing paid",
        "No trade to divide",
        "No trade was made on the sealed segment",
        "no trade cleared its costs",
    ):
        assert words in page


def test_titles_say_the_finding():
    page = render(example(), RUN)
    assert "Net of costs the strategy gained" in page
    assert "it knows which way" in page
    twin = render(none_alone(), RUN)
    assert "no skill at direction is shown" in twin
    assert "At no threshold with 20 rows" in twin


def skill_view(**changes):
    told = market(seed=3, edge=0.003, word="none")
    return section.view(told.model_copy(update={"skill": told.skill.model_copy(update=changes)}))


def test_calibration_is_not_praised_for_its_slope_where_all_is_said_too_high():
    points = [CalibrationPoint(probability=q, frequency=q / 3, count=600) for q in (0.03, 0.06)]
    chart = skill_view(calibration=points, calibration_slope=1.06).charts[0]
    said, came = percent(0.045), percent(0.015)
    assert chart.title == f"Said {said} on average, came {came}; slope 1.06, 1 is calibrated"


def test_no_skill_shown_is_not_called_skill_of_a_coin():
    said = skill_view(shows="nothing", direction_auc_interval=(0.42, 0.61)).finding
    assert said.endswith("these rows show no skill at direction.")
    said = skill_view(shows="volatility", direction_auc_interval=(0.42, 0.61)).finding
    assert said.startswith("This is no edge.")
    assert "that it knows which way is not shown" in said


@pytest.mark.parametrize("below", [False, True])
def test_a_break_even_below_zero_is_said_where_it_is_drawn_at_zero(below):
    found = thresholds(edge=True)
    least = -0.01 if below else 0.0
    scores = [p.model_copy(update={"break_even": least}) for p in found.on_validation]
    chart = thresholds_view(found.model_copy(update={"on_validation": tuple(scores)})).chart
    assert ("any precision pays there" in chart.note) is below


def test_thresholds_without_a_break_even_say_so_and_one_is_no_chart():
    point = ThresholdPoint(threshold=0.1, precision=0.3, break_even=None, count=90)
    second = point.model_copy(update={"threshold": 0.2})
    chart = skill_view(thresholds=(point, second)).thresholds
    assert chart.title == "At no threshold with 20 rows is a break-even known"
    assert "without intervals" in chart.note
    assert skill_view(thresholds=(point,)).thresholds is None


def test_a_label_without_barriers_has_no_target_and_no_stop_on_the_page():
    told = market().label
    bare_label = told.model_copy(
        update={"kind": "forward_return", "median_up": None, "median_down": None}
    )
    with_barriers, without = (
        data.view(example(market=market(label=card))) for card in (told, bare_label)
    )
    assert "Median target and stop" in dict(with_barriers.label)
    assert [key for key, _ in without.label] == ["Kind", "Not known yet, dropped"]
    assert [row[0] for row in with_barriers.outcomes.rows] == ["+1 target", "0 horizon", "−1 stop"]
    assert [row[0] for row in without.outcomes.rows] == ["+1 up", "0 neither", "−1 down"]


def test_one_candidate_that_lost_is_told_as_one():
    lost = market().candidates[0].model_copy(update={"chosen": False, "sharpe": -1.0})
    title = chosen._candidates_title((lost,))
    assert title == (
        "One candidate was compared; it did not earn more than cash in enough trades, "
        "so no look was taken"
    )
    assert chosen._candidates_title((lost, lost)).startswith("Two candidates were compared; none e")


def test_candidates_without_a_trade_draw_no_empty_axis():
    idle = (
        market().candidates[0].model_copy(update={"chosen": False, "sharpe": None, "n_trades": 0})
    )
    chart = chosen._candidates((idle,))
    assert chart.body == ""
    assert chart.note.endswith("1 without a trade stands in the table.")
    assert len(chart.table.rows) == 1


def test_the_title_of_the_folds_knows_who_looked():
    tests = [f for f in market().folds if f.name != "final"][:1]
    titles = [
        chosen._folds(market(folds=tests, ledger=LedgerCounts(n_looks_studies=n))).title
        for n in (0, 1, 3)
    ]
    assert all(t.startswith("One fold forward in time; ") for t in titles)
    assert "no study has looked" in titles[0]
    assert titles[1].endswith("before the one look")
    assert titles[2].endswith("though other studies did")


def test_the_band_of_survivorship_says_the_word_once():
    card = market().data.model_copy(update={"survivorship": "Survivorship: every one lives."})
    bands = verdict.view(example(market=market(data=card))).bands
    assert next(b.text for b in bands if b.title == "Survivorship") == "Every one lives."


def test_positions_that_nobody_could_sell_are_told_on_the_page_and_in_the_terminal():
    names = tuple(f"DEAD{i}" for i in range(7))
    sealed = market().sealed.model_copy(update={"stranded": names})
    found = example(market=market(sealed=sealed))
    (band,) = [b for b in verdict.view(found).bands if b.title == "Stranded positions"]
    said = "(DEAD0, DEAD1, DEAD2, DEAD3, DEAD4 and 2 more)"
    assert said in band.text
    assert any(line.startswith("Warning: ") and said in line for line in summary_lines(found))
    assert not any("Stranded" in b.title for b in verdict.view(example()).bands)


# --- colours ---------------------------------------------------------------------------------


def variables(block):
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block))


def contrast(one, two):
    def luminance(colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    high, low = sorted((luminance(one), luminance(two)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def schemes():
    css = (resources.files("touchstone.reports") / "templates" / "page.css").read_text()
    light = variables(css.split("@media")[0])
    dark = variables(css.split("prefers-color-scheme: dark")[1].split("}")[0])
    assert set(light) == set(dark)
    return {"light": light, "dark": dark}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast(scheme):
    c = schemes()[scheme]
    for ink in ("ink", "quiet", "ours", "base", "link", "warning", "broken"):
        for ground in ("paper", "panel"):
            assert contrast(c[ink], c[ground]) >= 4.5, (ink, ground)
    assert contrast(c["ink"], c["warning-panel"]) >= 4.5
    assert contrast(c["ink"], c["broken-panel"]) >= 4.5
    assert contrast(c["warning"], c["warning-panel"]) >= 4.5
    assert contrast(c["broken"], c["broken-panel"]) >= 4.5
    assert contrast(c["paper"], c["quiet"]) >= 4.5
    for mark in ("ours-mark", "base-mark"):
        assert contrast(c[mark], c["paper"]) >= 3, mark


def test_the_folds_tell_what_they_kept_where_they_chose():
    plain = market()
    names = [column.text for column in chosen.view(plain).folds.table.head]
    assert not any("kept" in name or "Regimes" in name for name in names)
    kept = {"selected": {"rsi_14": 1.5, "ret_1": 9.0}}
    shares = {"regimes": {"regime_1": 0.75, "regime_2": 0.25}}
    told = plain.folds[0].model_copy(update=kept | shares)
    changed = plain.model_copy(update={"folds": (told, *plain.folds[1:])})
    table = chosen.view(changed).folds.table
    assert table.rows[0][-2:] == ("ret_1, rsi_14", "75.0 · 25.0")
    assert table.rows[1][-2:] == ("", "")
    assert "ret_1, rsi_14" in render(example(market=changed), RUN)
