"""The language: what it reads, what it prints, and that nothing else gets in."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from touchstone.errors import ConfigError, ExpressionError
from touchstone.features import FeaturesConfig, compile_expression, compile_features
from touchstone.features.catalogue import BASELINE
from touchstone.features.language import Tree, parse
from touchstone.features.primitives import OPERATORS, PRIMITIVES

NAMES = st.sampled_from(["open", "high", "low", "close", "volume", "hour", "pi", "ret"])
NUMBERS = st.integers(-1000, 1000) | st.floats(-1e9, 1e9, allow_nan=False)


def grown(trees):
    call = st.tuples(st.sampled_from(sorted(PRIMITIVES)), st.lists(trees, max_size=3))
    return (
        st.tuples(st.sampled_from(sorted(OPERATORS)), trees, trees).map(
            lambda t: Tree("operator", t[0], t[1:])
        )
        | call.map(lambda t: Tree("call", t[0], tuple(t[1])))
        | trees.filter(lambda t: t.form != "number").map(lambda t: Tree("operator", "neg", (t,)))
    )


LEAVES = NAMES.map(lambda n: Tree("name", n)) | NUMBERS.map(lambda v: Tree("number", value=v))
TREES = st.recursive(LEAVES, grown, max_leaves=12)


@settings(max_examples=60, deadline=None)
@given(TREES)
def test_what_is_printed_is_read_back_as_it_was(tree):
    text = str(tree)
    assert parse("it", text) == tree
    assert str(parse("it", text)) == text


@settings(max_examples=60, deadline=None)
@given(TREES)
def test_a_compiled_text_and_its_printed_form_compute_the_same(tree):
    try:
        plan = compile_expression("it", str(tree))
    except ExpressionError:
        return
    assert compile_expression("it", str(parse("it", str(tree)))).fingerprint == plan.fingerprint


HOSTILE = [
    "__import__('os').system('true')", "close.__class__", "close[0]", "lambda: close", "'close'",
    "b'x'", "f'{close}'", "[close]", "{close}", "{1: close}", "(close,)", "close if open else low",
    "close and open", "not close", "~close", "close // 2", "close % 2", "close @ open",
    "close < open < high", "close is open", "close in open", "x := close", "(x := close)",
    "max(close, n=20)", "max(*close)", "max(**close)", "max(close, 20)(3)", "close; open",
    "close = 1", "import os", "[c for c in close]", "await close", "yield close", "True", "None",
    "...", "1j", "1e999", "10 ** 5 ** 9j", "9" * 5000, "9" * 400, "", " ",
    "\n", "\x00", "close\x00",
    "(" * 300 + "close" + ")" * 300, "-" * 500 + "close", "abs(" * 90 + "close" + ")" * 90,
    "+".join(["close"] * 1000), "close +", "clöse", "𝒸lose2", "close # note\n+", "lag(close)",
    "lag(close, 0)", "lag(close, -1)", "lag(close, 2.0)", "lag(close, open)", "lag(close, 10**9)",
    "mean(close, 200000)", "std(close)", "std()", "quantile(close, 20, 2)", "close()", "max",
    "quantile(close, 20, open)", "max(close, 0)", "max(close, -1)", "rank(close, 1)", "sentiment",
    "residual(close, open)", "median(close, close)", "input", "constant", "os", "\t close\n\n)(",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_anything_else_is_an_expression_error_that_names_the_feature(text):
    with pytest.raises(ExpressionError, match=r"feature 'mine', column \d+: "):
        compile_expression("mine", text)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=40) | st.text("closemax(),.0123+-*/<>='[]{}:; ", max_size=60))
@example("0" * 30)
def test_any_text_compiles_or_is_an_expression_error(text):
    try:
        compile_expression("mine", text)
    except ExpressionError as error:
        assert "feature 'mine', column" in str(error)  # noqa: PT017


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("open / clos", r"column 8: no input named 'clos'. Did you mean 'close'\?"),
        ("  emma(close, 3)", r"column 3: no function named 'emma'. Did you mean 'ema'\?"),
        ("1 + lag(close, 1.5)", r"column 16: n must be an integer literal: lag\(x, n\)"),
        ("max(close, 0)", r"column 12: n is 0, needs 1 .. 100000 bars. Of two values: max\(x"),
        ("ema(close)", r"column 1: 1 arguments, needs 2: ema\(x, n\)"),
        ("close and open", r"column 1: BoolOp is not part of the language \(write a \* b for"),
        ("close.x", r"names have no parts"),
        ("ä + 1", r"column 1: no input named 'ä'"),
        ("close +\n  opn", r"column 11: no input named 'opn'. Did you mean 'open'"),
    ],
)
def test_an_error_points_at_the_place_and_the_way_out(text, message):
    with pytest.raises(ExpressionError, match=message):
        compile_expression("mine", text)


def same(one, other, side=()):
    plans = [compile_expression("it", text, side) for text in (one, other)]
    return plans[0].fingerprint == plans[1].fingerprint


def test_two_readings_of_a_name():
    assert same("max(close, open)", "larger(close, open)")
    assert same("max(close, 20.0)", "larger(close, 20.0)")
    assert not same("max(close, 20)", "max(close, 20.0)")
    assert same("mean(close, open)", "(close + open) / 2")
    assert same("sum(close, 1)", "close")
    for text in ("mean(close, 20.0)", "sum(close, 20.0)"):
        with pytest.raises(ExpressionError, match="n must be an integer literal"):
            compile_expression("it", text)


def test_fingerprints_follow_the_content_not_the_writing():
    assert same("close/lag( close,1 )-1", "((close) / lag(close, 1)) - 1")
    assert same("typical()", "(high + low + close) / 3")
    assert same("close > open", "open < close")
    assert same("ret", "close / lag(close, 1) - 1.0")
    assert not same("ema(close, 3)", "ema(close, 4)")
    assert not same("ema(close, 3)", "wilder(close, 3)")
    assert not same("close - open", "open - close")


def test_shared_parts_are_computed_once():
    one = compile_expression("it", "std(close - open, 20)")
    twice = compile_features(
        FeaturesConfig(set="none", extra={"a": "std(close - open, 20)", "b": "std(close-open, 20)"})
    )
    assert twice.nodes == one.nodes
    assert twice.outputs == one.outputs * 2


def test_words_that_double_at_every_level_do_not_explode():
    nested = "close"
    for _ in range(50):
        nested = f"up({nested})"
    assert len(compile_expression("it", nested).nodes) < 300


def test_warmup_is_computed_from_the_graph():
    texts = {
        "close": 0, "lag(close, 3)": 3, "ema(close, 5)": 4, "ema(ema(close, 5), 5)": 8,
        "std(lag(close, 3), 4) + ema(close, 9)": 8, "cummax(ret)": 1,
        "wilder(true_range(), 14)": 14,
        "cross_rank(mean(close, 20))": 19, "since(close > lag(close, 2))": 2,
    }  # fmt: skip
    for text, warmup in texts.items():
        assert compile_expression("it", text).warmup.tolist() == [warmup], text


def test_the_baseline_is_17_and_16_without_sentiment():
    assert compile_features(FeaturesConfig(), {"sentiment"}).names == BASELINE
    assert len(BASELINE) == 17
    assert compile_features(FeaturesConfig()).names == BASELINE[:-1]


def test_names_of_ones_own():
    own = FeaturesConfig(extra={"gap": "open / lag(close, 1) - 1"})
    assert compile_features(own).names[-1] == "gap"
    for name in ("rsi_14", "a b", "2x", "class", ""):
        with pytest.raises(ExpressionError, match=f"feature '{name}'"):
            compile_features(FeaturesConfig(extra={name: "close"}))
    with pytest.raises(ConfigError, match="may not carry this name"):
        compile_features(FeaturesConfig(), {"close"})


def test_a_side_column_has_a_flag_and_is_asked_for():
    plan = compile_expression("it", "where(vix_known, vix, 20.0)", {"vix", "bid"})
    assert plan.side == ("vix",)
    assert compile_expression("it", "vix_known", {"vix"}).side == ("vix",)


@pytest.mark.parametrize(("text", "column"), [("close +", 8), ("  close +", 10), ("(close", 1)])
def test_a_text_that_cannot_be_read_is_pointed_at_where_it_breaks(text, column):
    with pytest.raises(ExpressionError, match=f"column {column}: cannot be read"):
        parse("it", text)
