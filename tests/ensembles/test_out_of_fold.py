"""What calibrates a combination is what it would have said: each half by what the other fitted."""

import numpy as np
import pytest

from ensembles.gathered import gathered
from touchstone.ensembles import ENSEMBLES
from touchstone.ensembles.out_of_fold import How, across, fit, halves, restore
from touchstone.ensembles.rows import take
from touchstone.errors import ArtifactError, DataError
from touchstone.seeding import derive

HOWS = [How(ENSEMBLES.parse(kind), False, 3) for kind in ("online", "stack", "weighted")]
HOWS.append(How(ENSEMBLES.parse("mean"), True, 3))


@pytest.mark.parametrize("how", HOWS, ids=lambda how: f"{how.combiner.kind}-{how.prune}")
def test_each_half_is_combined_by_what_the_other_fitted_and_reads_no_outcome_of_its_own(how):
    members, outcomes = gathered(0)
    fixed = across(how, members, outcomes, learns=False)
    for number, (fits, speaks) in enumerate(halves(members, outcomes), 1):
        half = how._replace(seed=derive(how.seed, "half", number))
        one = fit(half, *take(members, outcomes, np.flatnonzero(fits)))
        other, _ = take(members, outcomes, np.flatnonzero(speaks))
        np.testing.assert_array_equal(fixed[speaks], one.combine(other))
    goes_on = across(how, members, outcomes, learns=True)
    assert (goes_on != fixed).any() == (how.combiner.kind == "online")


def test_what_selection_kept_comes_back_and_rows_do_not_know_each_other():
    members, outcomes = gathered(1)
    one = fit(HOWS[-1], members, outcomes)
    again = restore(HOWS[-1].combiner, True, one.files())
    assert again.files() == one.files()
    said = one.combine(members)
    np.testing.assert_array_equal(again.combine(members), said)
    few, _ = take(members, outcomes, np.array([7]))
    np.testing.assert_array_equal(one.combine(few)[0], said[7])
    np.testing.assert_allclose(one.weights(members).sum(1), 1)
    with pytest.raises(ArtifactError, match="not written by this kind"):
        restore(HOWS[0].combiner, False, one.files())
    with pytest.raises(DataError, match="the same members"):
        one.combine(members._replace(score=members.score[1:], name=()))
