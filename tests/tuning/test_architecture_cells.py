"""From an architecture to a cell, and cells drawn at random."""

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from touchstone.models import Shape
from touchstone.models.darts import DartsConfig
from touchstone.models.layers.operations import NONE, OPERATIONS
from touchstone.tuning.architecture_cells import (
    _Sizes,
    discrete,
    n_parameters,
    narrowed,
    random_cell,
    random_cells,
)
from touchstone.tuning.architecture_network import every_edge

SHAPE = Shape(6, 3, 4, 3)
NAMES = (NONE, *OPERATIONS)


@st.composite
def architectures(draw):
    """(choices, shares) of a cell of one to four nodes."""
    edges = every_edge(draw(st.integers(1, 4)), NAMES)
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    sharp = draw(st.sampled_from([0.1, 1.0, 10.0]))
    shares = {}
    for edge in edges:
        raw = np.exp(sharp * rng.standard_normal(len(NAMES)))
        shares[edge] = tuple((raw / raw.sum()).tolist())
    return edges, shares


@settings(max_examples=60, deadline=None)
@given(architectures(), st.integers(2, 8))
def test_a_cell_holds_the_strongest_edges_and_no_none(architecture, most_skips):
    choices, shares = architecture
    cell = discrete(choices, shares, most_skips)
    assert DartsConfig(genotype=cell).genotype == cell
    for k, node in enumerate(cell):
        real = {
            place: max(share for share, n in zip(shares[k, place], NAMES, strict=True) if n != NONE)
            for place in range(2 + k)
        }
        places = [place for place, _ in node]
        if most_skips == 8:  # nothing had to make way
            assert min(real[p] for p in places) >= max(
                [share for p, share in real.items() if p not in places], default=0
            )
            for place, name in node:
                assert shares[k, place][NAMES.index(name)] == real[place]
    assert sum(name == "skip" for node in cell for _, name in node) <= most_skips


def test_the_weakest_skip_makes_way_for_what_comes_next_on_its_edge():
    choices = every_edge(1, (NONE, "skip", "conv3", "max_pool"))
    shares = {(0, 0): (0.0, 0.9, 0.06, 0.04), (0, 1): (0.0, 0.6, 0.1, 0.3)}
    assert discrete(choices, shares, 2) == (((0, "skip"), (1, "skip")),)
    assert discrete(choices, shares, 1) == (((0, "skip"), (1, "max_pool")),)
    # The weakest cannot be spared, for nothing else could feed its node; the next one can.
    narrow = {(0, 0): (NONE, "skip"), (0, 1): ("skip", "conv3")}
    shares = {(0, 0): (0.5, 0.5), (0, 1): (0.9, 0.1)}
    assert discrete(narrow, shares, 1) == (((0, "skip"), (1, "conv3")),)
    only = every_edge(1, (NONE, "skip"))
    left = {(0, 0): (0.1, 0.9), (0, 1): (0.2, 0.8)}
    assert discrete(only, left, 1) == (((0, "skip"), (1, "skip")),)


@settings(max_examples=30, deadline=None)
@given(architectures(), st.integers(2, 8))
def test_the_strongest_operations_stay(architecture, n_kept):
    choices, shares = architecture
    kept = narrowed(choices, shares, n_kept)
    for edge, names in kept.items():
        share = dict(zip(NAMES, shares[edge], strict=True))
        assert len(names) == n_kept
        gone = [share[name] for name in NAMES if name not in names]
        assert max(gone, default=0) <= min(share[name] for name in names)
        assert all(NAMES.index(a) < NAMES.index(b) for a, b in pairwise(names))


def test_random_cells_are_drawn_evenly_from_all_there_are():
    rng = np.random.default_rng(0)
    drawn = [random_cell(rng, 2, OPERATIONS, 4) for _ in range(3000)]
    for k, n_places in ((0, 2), (1, 3)):
        counts = np.zeros((n_places, len(OPERATIONS)))
        for cell in drawn:
            for place, name in cell[k]:
                counts[place, OPERATIONS.index(name)] += 1
        expected = len(drawn) * 2 / counts.size
        assert (np.abs(counts - expected) < 5 * expected**0.5).all()


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 2))
def test_random_cells_are_valid_different_and_of_one_size(seed, most_skips):
    rng = np.random.default_rng(seed)
    like = DartsConfig(genotype=random_cell(rng, 2, OPERATIONS, most_skips))
    cells = random_cells(rng, 5, [like], SHAPE, (OPERATIONS, most_skips, 0.3))
    size = n_parameters(like, SHAPE)
    assert len({*cells, like.genotype}) == 6
    far = []
    for cell in cells:
        config = DartsConfig(genotype=cell)
        assert sum(name == "skip" for node in cell for _, name in node) <= most_skips
        far.append(abs(n_parameters(config, SHAPE) / size - 1))
    # Within the band, or the nearest that there were.
    assert max(far) <= 0.3 or far == sorted(far)


def test_each_random_cell_is_as_large_as_one_of_the_found_ones_in_turn():
    """Against two searches that came to cells of other sizes, half are of each one's."""
    cells = ((((0, "conv5"), (1, "conv5")),), (((0, "skip"), (1, "max_pool")),))
    like = [DartsConfig(genotype=cell, cells=1) for cell in cells]
    large, small = (n_parameters(one, SHAPE) for one in like)
    assert large > 1.2 * small
    drawn = random_cells(np.random.default_rng(1), 6, like, SHAPE, (OPERATIONS, 2, 0.05))
    sizes = [n_parameters(DartsConfig(genotype=cell, cells=1), SHAPE) for cell in drawn]
    assert np.allclose(sizes, [large, small] * 3, rtol=0.05)
    assert len({*drawn, *cells}) == 8


def test_too_small_a_space_gives_the_cells_it_has():
    like = DartsConfig(genotype=(((0, "conv3"), (1, "conv3")),))
    cells = random_cells(np.random.default_rng(0), 9, [like], SHAPE, (("conv3", "skip"), 1, 0.1))
    assert set(cells) == {(((0, "conv3"), (1, "skip")),), (((0, "skip"), (1, "conv3")),)}


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 4), st.integers(1, 3))
def test_counted_piece_by_piece_a_size_is_the_same(seed, cells, nodes):
    rng = np.random.default_rng(seed)
    like = DartsConfig(genotype=random_cell(rng, nodes, OPERATIONS, 8), cells=cells, width=8)
    sizes = _Sizes(like, SHAPE)
    for _ in range(4):
        cell = random_cell(rng, nodes, OPERATIONS, 8)
        whole = n_parameters(like.model_copy(update={"genotype": cell}), SHAPE)
        assert sizes(cell) == whole


def test_the_size_is_that_of_the_network():
    small, large = (n_parameters(DartsConfig(width=w), SHAPE) for w in (8, 16))
    assert 500 < small < large
