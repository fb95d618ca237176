"""Which features of the catalogue a study asks for: sets, groups, exclusions."""

import pytest

from touchstone.errors import ConfigError, ExpressionError
from touchstone.features import FeaturesConfig, chosen, compile_features
from touchstone.features.catalogue import BASELINE, catalogue
from touchstone.features.catalogue import groups as catalogue_groups


def groups():
    return {name: tuple(group.entries) for name, group in catalogue_groups().items()}


def ask(**settings):
    return chosen(FeaturesConfig.parse(settings))


def test_every_feature_stands_in_one_group():
    names = [name for group in groups().values() for name in group]
    assert names == list(catalogue())
    assert len(set(names)) == len(names)


def test_a_set_alone_is_as_before():
    assert ask() == BASELINE
    assert ask(set="full") == tuple(catalogue())
    assert ask(set="none") == ()
    assert FeaturesConfig().canonical() == '{"set":"baseline","extra":{}}'


def test_groups_come_after_the_set_and_nothing_twice():
    momentum, volatility = (groups()[n] for n in ("momentum", "volatility"))
    assert ask(set="none", groups=("volatility", "momentum")) == volatility + momentum
    both = ask(groups=("momentum",))
    assert both[: len(BASELINE)] == BASELINE
    assert set(both) == set(BASELINE) | set(momentum)
    assert len(set(both)) == len(both)


def test_exclude_leaves_out_features_and_groups():
    assert ask(exclude=("rsi_14",)) == tuple(n for n in BASELINE if n != "rsi_14")
    without = ask(set="full", exclude=("calendar", "rsi_14"))
    assert not set(without) & {*groups()["calendar"], "rsi_14"}
    assert ask(set="none", groups=("momentum",), exclude=("momentum",)) == ()


def test_what_is_left_out_may_be_defined_anew():
    own = FeaturesConfig(exclude=("rsi_14",), extra={"rsi_14": "close"})
    assert compile_features(own).expressions["rsi_14"] == "close"
    with pytest.raises(ExpressionError, match="has this name"):
        compile_features(FeaturesConfig(set="none", groups=("momentum",), extra={"rsi_14": "1"}))


@pytest.mark.parametrize("name", ["symbol", "timestamp", "available_at"])
def test_no_feature_takes_the_place_of_a_tables_own_column(name):
    with pytest.raises(ExpressionError, match="tables of features have this column"):
        compile_features(FeaturesConfig(set="none", extra={name: "close"}))


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"groups": ("momentun",)}, "no group 'momentun'. Did you mean 'momentum'"),
        ({"groups": ("rsi_14",)}, "no group 'rsi_14'"),
        ({"exclude": ("rsi_41",)}, "Did you mean 'rsi_14'"),
        ({"set": "none", "exclude": ("rsi_14",)}, "no such feature here"),
        ({"group": ("momentum",)}, "Did you mean 'groups'"),
    ],
)
def test_a_name_that_is_none_is_answered_with_the_nearest(settings, says):
    with pytest.raises(ConfigError, match=says):
        ask(**settings)
