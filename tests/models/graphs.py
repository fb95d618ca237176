"""Models with drawn weights, and the comparison of their ONNX graphs with themselves."""

import numpy as np
import onnxruntime
import torch

from touchstone import training
from touchstone.ledger import MemoryLedger
from touchstone.models import MODELS, OUTCOMES, Shape
from touchstone.models.layers.network import finish
from training.planted import LOOKBACK, N_ASSETS, N_FEATURES, job, samples

KINDS = [kind for kind in MODELS.kinds() if MODELS.part(kind).inputs != "members"]
TABULAR = [kind for kind in KINDS if MODELS.part(kind).inputs == "tabular"]
SHAPE = Shape(LOOKBACK, N_FEATURES, N_ASSETS, 3)


def drawn(settings, shape=SHAPE, seed=3):
    """A network with weights that are all drawn anew, so that no layer is left at zero or one."""
    config = MODELS.parse(settings)
    part = MODELS.part_of(config)
    shape = shape._replace(n_outcomes=len(OUTCOMES[getattr(config, "head", "barrier")]))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        weights = part.built(config, shape).state_dict()
        for name, weight in weights.items():
            if name.endswith("running_var"):
                weights[name] = weight + torch.rand_like(weight)
            elif weight.is_floating_point():
                weights[name] = weight + 0.05 * torch.randn_like(weight)
    return finish(part, config, shape, weights, 1)


def drawn_tabular(settings):
    """A tabular model, fitted on planted rows."""
    train, validate = samples(n=900)
    head = settings["head"]
    this = job(settings["kind"], train, validate, model={"head": head})
    return training.run(this, MemoryLedger()).fitted


def inputs(fitted, n, seed=0):
    """(name -> array, the arguments of `raw`): noise, and rows as a scaled market has them."""
    rng = np.random.default_rng([seed, n])
    ids = rng.integers(-1, N_ASSETS + 1, n).astype(np.int32)  # unknown instruments too
    if fitted.inputs == "window":
        given = rng.normal(size=(n, *fitted.shape[:2])).astype(np.float32)
        given[1::2] = np.clip(rng.standard_t(2, given[1::2].shape), -10, 10)  # clipped tails
        given[2::4, :3] = 0.0
        return {"windows": given, "asset_id": ids.astype(np.int64)}, (given, ids)
    columns = 3 * fitted.shape.n_features
    given = rng.normal(size=(n, columns)).astype(np.float32)
    given[1::2] = np.clip(rng.standard_t(2, given[1::2].shape), -10, 10)
    return {"rows": given}, (given, ids)


def session(content):
    """The other runtime, on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def assert_same(fitted, content):
    """Batches of 1 and of 64 through the graph are those of the model, to 1e-5."""
    graph = session(content)
    for n in (1, 64):
        named, given = inputs(fitted, n)
        (said,) = graph.run(["probability"], named)
        assert said.dtype == np.float32
        np.testing.assert_allclose(said, fitted.raw(*given), rtol=0, atol=1e-5)
    assert np.ptp(said[:, -1]) > 1e-3, "it says the same of every row: this proves nothing"
