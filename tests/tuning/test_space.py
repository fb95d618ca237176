"""A space is what the configs' marks say, changed by what a file says, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchstone.config import Choice, Range
from touchstone.errors import ConfigError
from touchstone.models import MODELS
from touchstone.training import TrainingConfig
from touchstone.tuning.by_number import drawn
from touchstone.tuning.space import space_of, spaces

RECIPE = TrainingConfig()
KINDS = [kind for kind in MODELS.kinds() if MODELS.part(kind).inputs != "members"]
MODELS_OF = {kind: MODELS.parse({"kind": kind}) for kind in KINDS}


def marked(config):
    return {
        name
        for name, field in type(config).model_fields.items()
        if any(isinstance(mark, Range | Choice) for mark in field.metadata)
    }


@pytest.mark.parametrize("kind", KINDS)
def test_the_space_of_a_kind_is_its_marks_and_the_recipes_where_it_heeds_them(kind):
    space = space_of(MODELS_OF[kind], RECIPE, {}, "space")
    own = {key for key in space.keys if not key.startswith("training.") and "." not in key}
    assert own == marked(MODELS_OF[kind])
    of_recipe = {k.removeprefix("training.") for k in space.keys if k.startswith("training.")}
    window = MODELS.part(kind).inputs == "window"
    assert of_recipe == (marked(RECIPE) if window else set())


@pytest.mark.parametrize("kind", KINDS)
def test_every_point_of_a_space_is_a_checked_config_that_holds_it(kind):
    space = space_of(MODELS_OF[kind], RECIPE, {}, "space")
    for number in range(20):
        settings = space.settings(drawn(3, number, space.distributions))
        try:
            model, training = space.configs(settings)
        except ConfigError:
            continue  # widths that no number of heads divides
        for key, value in settings.items():
            part, name = (training, key[9:]) if key.startswith("training.") else (model, key)
            assert getattr(part, name) == value
        assert type(model) is type(MODELS_OF[kind])


@given(low=st.integers(1, 50), steps=st.integers(1, 9), step=st.integers(1, 7),
       over=st.integers(0, 6), number=st.integers(0, 1000))  # fmt: skip
def test_a_range_with_a_step_holds_its_steps_from_the_lowest_and_no_other(
    low, steps, step, over, number
):
    high = low + steps * step + over % step
    told = {"leaves": {"low": low + 1, "high": high + 1, "step": step}}
    space = space_of(MODELS_OF["lightgbm"], RECIPE, told, "space")
    value = drawn(1, number, space.distributions)["leaves"]
    assert isinstance(value, int)
    assert low + 1 <= value <= high + 1
    assert (value - low - 1) % step == 0


@given(st.lists(st.sampled_from([[64, 32], [128], [16, 8, 4], [32]]), min_size=2, max_size=4,
                unique_by=str), st.integers(0, 99))  # fmt: skip
def test_choices_come_back_as_the_file_said_them_whatever_they_are(choices, number):
    space = space_of(MODELS_OF["mlp"], RECIPE, {"hidden": choices}, "space")
    settings = space.settings(drawn(5, number, space.distributions))
    assert settings["hidden"] in choices
    assert space.configs(settings)[0].hidden == tuple(settings["hidden"])


def test_what_a_file_says_takes_the_place_of_the_marks_and_one_value_is_kept():
    told = {"all": {"training.learning_rate": {"low": 1e-3, "high": 2e-3}, "dropout": 0.25},
            "gru": {"hidden": {"low": 8, "high": 16}, "layers": 2, "pooling": ["last", "mean"]},
            "gru 2": {"layers": [1, 2]}}  # fmt: skip
    gru = MODELS_OF["gru"]
    found = spaces({"gru": gru, "gru 2": gru, "lightgbm": MODELS_OF["lightgbm"]}, RECIPE, told)
    one, two, trees = found.values()
    assert one.model.dropout == two.model.dropout == 0.25
    assert one.model.layers == 2
    assert "dropout" not in one.keys
    assert "layers" not in one.keys
    assert two.keys["layers"].choices == (1, 2)
    assert one.keys["hidden"] == two.keys["hidden"]
    assert (one.keys["hidden"].low, one.keys["hidden"].high) == (8, 16)
    assert one.keys["training.learning_rate"].log is False
    assert one.keys["pooling"].choices == ("last", "mean")
    assert set(trees.keys) == marked(MODELS_OF["lightgbm"])


def test_keys_of_the_recipe_may_be_nested_as_on_a_command_line():
    said = {"low": 1e-3, "high": 2e-3}
    models = {"gru": MODELS_OF["gru"]}
    nested = spaces(models, RECIPE, {"gru": {"training": {"learning_rate": said, "batch": 64}}})
    dotted = {"training.learning_rate": said, "training.batch": 64}
    assert nested == spaces(models, RECIPE, {"gru": dotted})


def test_a_part_that_is_fixed_may_be_searched_within():
    told = {"training.loss": {"kind": "focal"}, "training.loss.gamma": {"low": 1.0, "high": 3.0}}
    space = space_of(MODELS_OF["gru"], RECIPE, told, "space")
    assert "training.loss.gamma" in space.keys
    assert "training.loss.alpha" not in space.keys  # the file has said what the loss is
    loss = space.configs({"training.loss.gamma": 1.5})[1].loss
    assert (loss.kind, loss.gamma) == ("focal", 1.5)


def test_marks_within_the_parts_of_a_study_are_searched():
    training = TrainingConfig.parse(
        {"loss": {"kind": "focal"}, "augment": ({"kind": "jitter"}, {"kind": "mixup"})}
    )
    space = space_of(MODELS_OF["gru"], training, {}, "space")
    inner = {"training.loss.gamma", "training.augment.0.size", "training.augment.1.alpha"}
    assert inner <= set(space.keys)
    held = drawn(1, 2, space.distributions)
    assert (
        space.configs(space.settings(held))[1].augment[1].alpha == held["training.augment.1.alpha"]
    )


def test_a_marked_choice_is_every_value_of_its_field():
    space = space_of(MODELS_OF["gru"], RECIPE, {}, "space")
    assert set(space.keys["pooling"].choices) == {"last", "mean", "additive", "self", "multi_head"}


WRONG = {
    "gruu": ({"gruu": {}}, "Did you mean 'gru'"),
    "key": ({"gru": {"hiden": 3}}, "space.gru.hiden: no such key. Did you mean 'hidden'"),
    "nobody": ({"all": {"hiden": 3}}, "Did you mean 'hidden'"),
    "recipe": ({"gru": {"training.learning_rat": 1}}, "Did you mean 'training.learning_rate'"),
    "end": ({"gru": {"hidden": {"low": 0, "high": 8}}}, "greater than 0"),
    "order": ({"gru": {"hidden": {"low": 9, "high": 8}}}, "low < high"),
    "word": ({"gru": {"hidden": {"low": 1, "high": 8, "stop": 2}}}, "Did you mean 'step'"),
    "missing": ({"gru": {"hidden": {"low": 1}}}, "needs low and high"),
    "endless": ({"gru": {"hidden": {"low": 1, "high": float("inf")}}}, "both finite"),
    "endless rate": (
        {"gru": {"training.learning_rate": {"low": 0.1, "high": float("inf")}}},
        "both finite",
    ),
    "too fine": ({"gru": {"dropout": {"low": 0, "high": 0.5, "step": 1e-300}}}, "wider step"),
    "too many": ({"gru": {"hidden": {"low": 1, "high": 10**30}}}, "wider step"),
    "no truth": ({"gru": {"dropout": {"low": 0.1, "high": 0.5, "log": "false"}}}, "true or false"),
    "log": ({"gru": {"dropout": {"low": 0, "high": 0.5, "log": True}}}, "log needs low > 0"),
    "whole": ({"gru": {"hidden": {"low": 1.5, "high": 8}}}, "whole numbers"),
    "step": ({"gru": {"hidden": {"low": 1, "high": 8, "step": 9}}}, "step needs"),
    "choice": ({"gru": {"pooling": ["lst"]}}, "'lst'"),
    "twice": ({"gru": {"layers": [1, 1]}}, "comes twice"),
    "empty": ({"gru": {"layers": []}}, "at least one"),
    "text": ({"gru": {"pooling": {"low": 1, "high": 2}}}, "list of choices"),
    "kind": ({"gru": {"kind": ["gru", "lstm"]}}, "name several `models`"),
    "part": ({"gru": {"training.loss": {"kind": "fcal"}}}, "Did you mean 'focal'"),
    "ignored": ({"lightgbm": {"training.batch": [8, 16]}}, "heeds only metric and patience"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_told_with_its_place_and_the_nearest(name):
    told, said = WRONG[name]
    models = {kind: MODELS_OF[kind] for kind in ("gru", "lightgbm")}
    with pytest.raises(ConfigError, match="space") as error:
        spaces(models, RECIPE, told)
    assert said in str(error.value)
