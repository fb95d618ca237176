"""The branches of the multi-scale network: minutes at 1, 5, 15 and hours at 1, 4, 24."""

import pytest
import torch

from touchstone.models import MODELS, Shape
from touchstone.models.multiscale_cnn import means


@pytest.mark.parametrize("scales", [(1, 4, 24), (1, 5, 15)])
@pytest.mark.parametrize("lookback", [24, 48])
def test_every_scale_has_a_branch_that_the_answer_depends_on(scales, lookback):
    torch.manual_seed(0)
    config = MODELS.parse({"kind": "multiscale_cnn", "scales": scales, "dropout": 0.0})
    net = MODELS.part("multiscale_cnn").built(config, Shape(lookback, 3, 4, 3)).eval()
    assert net.scales == tuple(sorted(scales, reverse=True))
    windows, ids = torch.randn(5, lookback, 3), torch.arange(5) % 4
    before = net(windows, ids)
    for scale, branch in zip(net.scales, net.branches, strict=True):
        coarse = means(windows.transpose(1, 2), scale)
        assert coarse.shape[2] == lookback // scale
        newest = windows[:, -scale:].mean(1)
        torch.testing.assert_close(coarse[:, :, -1], newest)
        kept = [one.clone() for one in branch.parameters()]
        with torch.no_grad():
            for one in branch.parameters():
                one.mul_(1.5)
        assert not torch.allclose(net(windows, ids), before)
        with torch.no_grad():
            for one, was in zip(branch.parameters(), kept, strict=True):
                one.copy_(was)
    torch.testing.assert_close(net(windows, ids), before)
    assert MODELS.config("multiscale_cnn")().scales == (1, 4, 24)


@pytest.mark.parametrize("kind", MODELS.kinds())
def test_every_model_says_its_mathematics_and_its_source(kind):
    told = MODELS.part(kind).__doc__
    assert "=" in told
    assert "Source:" in told
    if MODELS.part(kind).inputs == "window":
        field = MODELS.config(kind).model_fields["embedding"]
        (searched,) = [one for one in field.metadata if hasattr(one, "low")]
        assert (searched.low, searched.high, field.default) == (4, 32, 8)
