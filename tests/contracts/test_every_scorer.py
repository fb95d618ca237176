"""Promises that every scorer of texts keeps. A new file in data/scorers/ is tested here as it is.

Scorers that run a model are given a tiny one, saved to a folder as the real ones are.
"""

import subprocess
import sys

import numpy as np
import pytest

from leaves import leaves
from tiny_bert import TEXTS, save_tiny_bert, some_texts
from touchstone.data.scorers import SCORERS
from touchstone.errors import ConfigError

TOLERANCE = 1e-5
"""What the batch may move a score by, as data/transformer.py states."""


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    save_tiny_bert(folder / "tiny")
    return folder


def settings_of(kind):
    return {"kind": kind, **({"model": "tiny"} if "model" in SCORERS.config(kind).model_fields
                             else {})}  # fmt: skip


@pytest.fixture(scope="module", params=SCORERS.kinds())
def scorer(request, root):
    return SCORERS.part(request.param)(SCORERS.parse(settings_of(request.param)), root)


@pytest.fixture(params=SCORERS.kinds())
def config(request):
    return SCORERS.parse(settings_of(request.param))


def test_gives_every_text_its_finite_numbers(scorer):
    scores = scorer.score(TEXTS)
    assert scores.shape == (len(TEXTS), len(scorer.columns))
    assert scores.dtype == np.float64
    assert np.isfinite(scores).all()
    if scorer.columns == ("",):
        assert (np.abs(scores) <= 1).all()
    assert (scores[0] != scores[3]).all(), "two texts are not one"


def test_a_score_does_not_depend_on_the_texts_beside_it(scorer):
    texts = [*TEXTS, *some_texts(40, 1)]
    together = scorer.score(texts)
    mixed = np.random.default_rng(2).permutation(len(texts))
    np.testing.assert_allclose(
        scorer.score([texts[i] for i in mixed]), together[mixed], rtol=0, atol=TOLERANCE
    )
    alone = np.concatenate([scorer.score([text]) for text in texts[:10]])
    np.testing.assert_allclose(alone, together[:10], rtol=0, atol=TOLERANCE)


def test_the_same_texts_give_the_same_bytes(scorer):
    texts = some_texts(60, 3)
    assert scorer.score(texts).tobytes() == scorer.score(texts).tobytes()


def test_says_its_version_and_since_when_it_is_public(scorer, root):
    kind = scorer.version.split()[0]
    assert kind in SCORERS.kinds()
    again = SCORERS.part(kind)(SCORERS.parse(settings_of(kind)), root)
    assert again.version == scorer.version
    assert scorer.released is None or np.datetime64(scorer.released) > np.datetime64("2000-01-01")


def test_config_survives_its_own_json_and_refuses_unknown_keys(config):
    assert SCORERS.parse(config.model_dump(mode="json", serialize_as_any=True)) == config
    with pytest.raises(ConfigError, match="no such key"):
        SCORERS.parse({**settings_of(config.kind), "modle": 3})


def test_every_leaf_changes_the_fingerprint(config):
    prints = [config.fingerprint(), *(changed.fingerprint() for _, changed in leaves(config))]
    assert len(set(prints)) == len(prints)


def test_every_field_is_documented(config):
    fields = type(config).model_fields.items()
    assert [n for n, field in fields if not field.description and n != "kind"] == []


def test_asking_for_the_kinds_loads_no_model_library():
    code = (
        "import sys; from touchstone.data.scorers import SCORERS; "
        "from touchstone.data.side import SIDES; "
        "[f.config(k) for f in (SCORERS, SIDES) for k in f.kinds()]; "
        "heavy = ('transformers', 'tokenizers', 'torch', 'vaderSentiment', 'polars'); "
        "print([m for m in heavy if m in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
