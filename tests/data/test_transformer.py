"""Scores by a transformer: loading, labels, lengths, versions, and what is refused."""

import sys

import numpy as np
import pytest
from huggingface_hub import constants

from tiny_bert import TEXTS, save_tiny_bert, some_texts
from touchstone.data.scorers import SCORERS
from touchstone.data.transformer import batches
from touchstone.errors import ConfigError, SourceError


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    save_tiny_bert(folder / "tiny")
    save_tiny_bert(folder / "other", seed=1)
    save_tiny_bert(folder / "swapped", labels=("Neutral", "Negative", "Positive"))
    save_tiny_bert(folder / "stars", labels=("one", "two", "three"))
    save_tiny_bert(folder / "headless", head=False)
    return folder


def scorer(models, kind="finbert", **settings):
    config = SCORERS.parse({"kind": kind, "model": "tiny", **settings})
    return SCORERS.part_of(config)(config, models)


def test_is_positive_less_negative_by_the_names_of_the_labels(models):
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(models / "tiny")
    network = AutoModelForSequenceClassification.from_pretrained(models / "tiny")
    for text, score in zip(TEXTS, scorer(models).score(TEXTS)[:, 0], strict=True):
        logits = network(**tokenizer(text, return_tensors="pt")).logits[0].detach().numpy()
        share = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
        np.testing.assert_allclose(score, share[0] - share[1], atol=1e-5)
        logits = logits[[2, 1, 0]]  # the same weights, other names: 0 neutral, 2 positive
        other = scorer(models, model="swapped").score([text])[0, 0]
        np.testing.assert_allclose(other, share[2] - share[1], atol=1e-5)


def test_batches_and_their_padding_move_nothing_beyond_what_is_stated(models):
    texts = some_texts(50, 4)
    whole = scorer(models).score(texts)
    for size in (1, 64, 700):
        cut = scorer(models, batch_tokens=size).score(texts)
        np.testing.assert_allclose(cut, whole, rtol=0, atol=1e-5)
    vectors = scorer(models, "embedding", columns=4)
    few = scorer(models, "embedding", columns=4, batch_tokens=64)
    np.testing.assert_allclose(few.score(texts), vectors.score(texts), rtol=0, atol=1e-5)


def test_batches_cover_all_texts_and_stay_small():
    lengths = np.sort(np.random.default_rng(0).integers(1, 60, 500))
    found = list(batches(lengths, 128))
    assert [s.start for s in found[1:]] == [s.stop for s in found[:-1]]
    assert (found[0].start, found[-1].stop) == (0, 500)
    assert all(s.stop - s.start == 1 or lengths[s.stop - 1] * (s.stop - s.start) <= 128
               for s in found)  # fmt: skip
    assert list(batches(np.array([900]), 128)) == [slice(0, 1)]


def test_a_long_text_is_cut_where_the_model_ends(models):
    long = " ".join(["profit"] * 500)
    score = scorer(models).score([long, " ".join(["profit"] * 62)])
    np.testing.assert_allclose(score[0], score[1], atol=1e-5)  # 64 places, two of them marks


def test_embeddings_are_reduced_along_directions_that_no_text_chose(models):
    texts = some_texts(30, 5)
    one = scorer(models, "embedding", columns=4).score(texts)
    fewer = scorer(models, "embedding", columns=4).score(texts[:7])
    np.testing.assert_allclose(one[:7], fewer, atol=1e-5)
    assert not np.allclose(one, scorer(models, "embedding", columns=4, seed=1).score(texts))
    full = scorer(models, "embedding", columns=32)
    np.testing.assert_allclose(np.linalg.norm(full.score(texts), axis=1), 1, atol=1e-5)


def test_the_version_follows_the_weights_and_not_the_place(models, tmp_path):
    save_tiny_bert(tmp_path / "tiny")
    same = SCORERS.part("finbert")(SCORERS.parse({"kind": "finbert", "model": "tiny"}), tmp_path)
    assert same.version == scorer(models).version
    versions = {scorer(models, **s).version for s in ({}, {"model": "other"}, {"max_tokens": 9})}
    assert len(versions) == 3
    # what a file lacks is drawn at random on loading, and no part of the version
    headless = [scorer(models, "embedding", model="headless") for _ in range(2)]
    assert headless[0].version == headless[1].version
    assert headless[0].score(TEXTS).tobytes() == headless[1].score(TEXTS).tobytes()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model": "stars"}, "has labels one, two, three, needs positive and negative"),
        ({"model": "headless"}, "holds no weights for .*classifier"),
        ({"kind": "embedding", "columns": 99}, "is 32 wide, 99 columns"),
    ],
)
def test_a_model_of_another_kind_is_refused(models, settings, message):
    with pytest.raises(SourceError, match=message):
        scorer(models, **settings)


def test_pickled_weights_are_never_opened(tmp_path):
    save_tiny_bert(tmp_path / "tiny")
    (tmp_path / "tiny" / "model.safetensors").rename(tmp_path / "tiny" / "pytorch_model.bin")
    with pytest.raises(SourceError, match="needs safetensors"):
        scorer(tmp_path)


def test_without_a_network_one_line_says_so(models, monkeypatch):
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")  # nobody listens there
    with pytest.raises(SourceError) as told:
        scorer(models, model="nobody/has-this-model")
    assert "\n" not in str(told.value)
    assert "fetch it once where there is a network" in str(told.value)


def test_without_the_library_it_is_said_how_to_install_it(models, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ConfigError, match=r"make setup.*installs it"):
        scorer(models)


def test_since_when_a_model_is_public_is_a_date_or_not_stated(models):
    assert scorer(models).released is None
    assert scorer(models, released="2021-05-01").released == "2021-05-01"
    with pytest.raises(ConfigError, match=r"released: 'May': needs a date"):
        SCORERS.parse({"kind": "finbert", "released": "May"})


def test_a_device_that_is_not_there_is_refused(models):
    import torch

    if torch.cuda.is_available():
        np.testing.assert_allclose(
            scorer(models, device="cuda").score(TEXTS), scorer(models, device="cpu").score(TEXTS),
            atol=1e-5,
        )  # fmt: skip
        return
    with pytest.raises(ConfigError, match="cuda is asked for"):
        scorer(models, device="cuda")
