"""Files that ask much of a study: read whole, and refused whole, before any bar is loaded."""

import pytest
import yaml

from touchstone.errors import ConfigError
from touchstone.pipelines.campaign_config import read_campaign
from touchstone.pipelines.ensemble_config import read_ensemble
from touchstone.pipelines.tune_config import read_tune

READERS = {"campaign": read_campaign, "tune": read_tune, "ensemble": read_ensemble}
STUDY = {
    "name": "nowhere", "bars": {"source": "parquet", "path": "no/such/bars"},
    "surrogates": 19, "models": ["logistic", "mlp"],
}  # fmt: skip


def asked(tmp_path, kind, **settings):
    path = tmp_path / "asked.yaml"
    path.write_text(yaml.safe_dump({"study": STUDY} | settings))
    return READERS[kind](path)


@pytest.mark.parametrize("kind", READERS)
def test_a_study_is_asked_once_of_its_own_market(tmp_path, kind):
    found = asked(tmp_path, kind)
    assert (found.study.config.surrogates, found.study.config.null_twin) == (0, False)
    one = found.alone(found.study.config.models[0])
    assert one.config.models == found.study.config.models[:1]
    assert one.fingerprint == found.alone(one.config.models[0]).fingerprint
    assert found.config.name == kind


@pytest.mark.parametrize("kind", READERS)
@pytest.mark.parametrize("name", ["", "Upper", "a/b", "../up", "a" * 41, "a\n"])
def test_a_name_that_no_folder_may_have_is_refused_in_one_line(tmp_path, kind, name):
    with pytest.raises(ConfigError) as caught:
        asked(tmp_path, kind, name=name)
    said = str(caught.value).splitlines()
    assert said[0] == f"{tmp_path / 'asked.yaml'}:"
    assert said[1:] == [
        f"  name: {name!r}: needs lower-case letters, digits, - or _, 40 at most",
    ]


@pytest.mark.parametrize(
    ("space", "said"),
    [
        ({"mlp": {"hiden": [[4], [8]]}}, "space.mlp.hiden: no such key. Did you mean 'hidden'"),
        ({"mlpp": {"dropout": 0.1}}, "no architecture 'mlpp' here. Did you mean 'mlp'"),
        ({"all": {"nothing": 1}}, "space.all.nothing: no architecture has it"),
        ({"mlp": {"dropout": {"low": 0.5, "high": 0.1}}}, "space.mlp.dropout"),
        ({"mlp": {"dropout": 7.0}}, "space.mlp.dropout"),
        ({"logistic": {"training.learning_rate": [0.1]}}, "logistic heeds only"),
    ],
)
def test_a_space_that_cannot_be_searched_is_told_when_the_file_is_read(tmp_path, space, said):
    models = ["logistic", "mlp"]
    with pytest.raises(ConfigError) as caught:
        asked(tmp_path, "tune", models=models, space=space)
    assert str(caught.value).startswith(f"{tmp_path / 'asked.yaml'}:\n  space")
    assert said in str(caught.value)
    # Of what is left out the space may still speak.
    asked(tmp_path, "tune", without=["mlp"], space={"mlp": {"hiden": 3}})


def test_a_storage_that_is_no_address_is_refused_when_the_file_is_read(tmp_path):
    with pytest.raises(ConfigError, match="needs an address"):
        asked(tmp_path, "tune", storage="trials.db")
