"""A search has exactly its trials, whoever works on them and however often they are killed."""

import json
import multiprocessing
import threading
from pathlib import Path

import pytest

from touchstone.errors import ConfigError, DataError, TrainingError, without_password
from touchstone.tuning.search import (
    Seen,
    Worth,
    begin,
    best,
    is_broken,
    left,
    seen,
    study_of,
    take,
)
from touchstone.tuning.storage import place_of
from tuning.searches import a_search, climb, hill, run


def test_threads_that_begin_and_take_at_once_end_with_exactly_the_trials(tmp_path):
    search = a_search(tmp_path, n_trials=12)
    gate, ran = threading.Barrier(4), []

    def work():
        gate.wait()
        begin(search, alone=False)
        while (one := take(search, climb)) is not None:
            ran.append(one.number)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ran) == list(range(12))
    found = seen(search)
    assert [t.number for t in found] == list(range(12))
    assert [t.params for t in found] == [t.params for t in run(search._replace(name="alone"))]


def _work(search):
    while take(search, climb) is not None:
        pass


def test_processes_share_a_journal(tmp_path):
    search = a_search(tmp_path, n_trials=6)
    begin(search, alone=True)
    context = multiprocessing.get_context("fork")
    two = [context.Process(target=_work, args=(search,)) for _ in range(2)]
    for process in two:
        process.start()
    for process in two:
        process.join()
    assert left(search) == 0
    found = seen(search)
    assert [t.values[0] for t in found] == [pytest.approx(hill(t.params)) for t in found]


def test_a_search_for_more_trials_goes_on_where_a_shorter_one_ended(tmp_path):
    short, long = (a_search(tmp_path, n_trials=n, sampler="tpe") for n in (5, 9))
    first = run(short)
    whole = run(long)
    assert whole[:5] == first
    assert len(whole) == 9
    assert seen(short) == first  # and the longer one is no part of the shorter
    with study_of(short) as study:
        assert len(study.trials) == 5


def test_what_a_killed_trial_had_told_stays_and_is_not_told_twice(tmp_path):
    search = a_search(tmp_path, n_trials=1, pruner="median")

    def torn(trial):
        trial.report(0, 1.0)
        trial.report(1, 2.0)
        trial.note("where", "here")
        raise KeyboardInterrupt

    begin(search, alone=True)
    with pytest.raises(KeyboardInterrupt):
        take(search, torn)
    assert [t.state for t in seen(search)] == ["running"]
    assert left(search) == 1
    assert take(search, climb) is None  # it is somebody's, until somebody says that they are gone
    assert begin(search, alone=False) == 1
    assert [t.state for t in seen(search)] == ["running"]
    assert begin(search, alone=True) == 1
    assert [t.state for t in seen(search)] == ["waiting"]

    def again(trial):
        trial.report(1, -5.0)
        trial.report(2, 3.0)
        return climb(trial)

    found = take(search, again)
    assert found.steps == {0: 1.0, 1: 2.0, 2: 3.0}
    assert found.notes["where"] == "here"


def test_settings_that_give_no_model_fail_with_their_reason_and_the_search_goes_on(tmp_path):
    def fussy(trial):
        if trial.number == 1:
            raise TrainingError("no rows")
        if trial.number == 2:
            raise ConfigError("30 units, 4 heads")
        return climb(trial)

    found = run(a_search(tmp_path, n_trials=4), fussy)
    assert [t.state for t in found] == ["complete", "failed", "failed", "complete"]
    assert [t.notes.get("reason") for t in found] == [None, "no rows", "30 units, 4 heads", None]
    assert best(found, ("higher",))[0] in (0, 3)


def test_any_other_error_leaves_the_trial_to_be_run_again(tmp_path):
    search = a_search(tmp_path, n_trials=2)
    begin(search, alone=True)

    def full(_):
        raise DataError("the disk is full")

    with pytest.raises(DataError):
        take(search, full)
    assert begin(search, alone=True) == 2
    assert [t.state for t in run(search)] == ["complete", "complete"]


def test_a_trial_behind_the_others_is_ended_at_that_very_step(tmp_path):
    search = a_search(tmp_path, n_trials=6, pruner={"kind": "median", "startup": 3, "warmup": 2})
    steps = {}

    def slow(trial):
        for step in range(10):
            steps[trial.number] = step
            trial.report(step, float(-trial.number if trial.number > 2 else step))
            if trial.is_behind():
                return None
        return Worth((1.0,), {})

    found = run(search, slow)
    assert [t.state for t in found] == ["complete"] * 3 + ["pruned"] * 3
    assert steps == {0: 9, 1: 9, 2: 9, 3: 2, 4: 2, 5: 2}
    assert all(t.values == () for t in found[3:])
    assert [max(t.steps) for t in found] == [9, 9, 9, 2, 2, 2]


def test_a_trial_is_compared_at_equal_steps_whatever_it_was_worth_in_an_easier_fold(tmp_path):
    """Steps 0 and 1 are of a fold where all do well, 2 and 3 of one where the last does badly."""
    worths = {0: (0.9, 0.8), 1: (0.9, 0.7), 2: (0.9, 0.75), 3: (0.95, 0.6)}

    def folds(trial):
        first, mean = worths[trial.number]
        for step, value in enumerate((first, first, mean, mean)):
            trial.report(step, value)
            if trial.is_behind():
                return None
        return Worth((mean,), {})

    search = a_search(tmp_path, n_trials=4, pruner={"kind": "median", "startup": 3, "warmup": 0})
    found = run(search, folds)
    assert [t.state for t in found] == ["complete"] * 3 + ["pruned"]
    assert max(found[3].steps) == 2


def test_a_fit_that_ended_early_is_compared_where_it_ended(tmp_path):
    """Only the worst of three went as far as step 3."""
    steps = {0: {0: 5.0}, 1: {0: 4.0}, 2: {0: 1.0, 3: 1.0}, 3: {0: 6.0, 3: 2.0}}

    def uneven(trial):
        for step, value in steps[trial.number].items():
            trial.report(step, value)
            if trial.is_behind():
                return None
        return Worth((1.0,), {})

    search = a_search(tmp_path, n_trials=4, pruner={"kind": "median", "startup": 3, "warmup": 0})
    assert [t.state for t in run(search, uneven)] == ["complete"] * 3 + ["pruned"]


@pytest.mark.parametrize(("warmup", "every", "last"), [(0, 1, 0), (3, 1, 3), (1, 4, 5), (9, 2, 9)])
def test_a_trial_is_left_alone_until_it_is_time_to_look(tmp_path, warmup, every, last):
    """It is ahead at first, and behind from step 4 on where it is left alone till then."""
    pruner = {"kind": "median", "startup": 1, "warmup": warmup, "every": every}
    ahead = 4 if every == 4 else 0

    def late(trial):
        for step in range(12):
            trial.report(step, 1.0 if trial.number == 0 else 2.0 - 2 * (step >= ahead))
            if trial.is_behind():
                return None
        return Worth((1.0,), {})

    found = run(a_search(tmp_path, n_trials=2, pruner=pruner), late)
    assert max(found[1].steps) == last
    assert found[1].state == "pruned"


def test_with_several_objectives_nothing_is_ended_early(tmp_path):
    def two(trial):
        for step in range(3):
            trial.report(step, -float(trial.number))
            assert not trial.is_behind()
        return Worth((1.0, 2.0), {})

    search = a_search(tmp_path, directions=("higher", "lower"), pruner="median", n_trials=4)
    assert {t.state for t in run(search, two)} == {"complete"}


def trial(number, *values, state="complete", **broken):
    return Seen(number, state, {}, values, {}, {}, broken)


def test_the_best_keeps_its_bounds_and_of_equals_is_the_first():
    found = [trial(0, 1.0), trial(1, 3.0, fall=0.1), trial(2, 2.0, fall=0.0), trial(3, 2.0),
             trial(4, state="pruned"), trial(5, state="failed")]  # fmt: skip
    assert is_broken(found[1])
    assert best(found, ("higher",)) == (2,)
    assert best(found, ("lower",)) == (0,)
    assert best(found[4:], ("higher",)) == ()


def test_of_several_objectives_the_best_are_those_that_none_beats():
    found = [trial(0, 1.0, 1.0), trial(1, 2.0, 3.0), trial(2, 3.0, 4.0), trial(3, 2.0, 4.0),
             trial(4, 2.0, 3.0), trial(5, 9.0, 0.0, fall=1.0)]  # fmt: skip
    assert best(found, ("higher", "lower")) == (2, 1, 4, 0)
    assert best(found, ("lower", "lower")) == (0,)


def test_a_line_that_a_killed_writer_left_half_is_taken_off(tmp_path):
    search = a_search(tmp_path, n_trials=3)
    begin(search, alone=True)
    take(search, climb)
    journal = Path(search.place.at)
    whole = journal.read_bytes()
    journal.write_bytes(whole + whole.splitlines(keepends=True)[-1][:-7])
    assert [t.state for t in seen(search)] == ["complete", "waiting", "waiting"]
    found = run(search)
    assert [t.state for t in found] == ["complete"] * 3
    assert all(json.loads(line) for line in journal.read_text().splitlines())


def test_an_address_is_one_or_is_refused_and_shows_no_password(tmp_path):
    place = place_of("postgresql://me:secret@host:5432/db", tmp_path)
    assert place.at == "postgresql+psycopg://me@host:5432/db"
    assert dict(place.secrets) == {"password": "secret"}
    assert place.shared
    hidden = place_of("postgres://u:p%40ss{}@h/d?sslpassword=deep&host=x:1", tmp_path)
    assert hidden.at == "postgresql+psycopg://u@h/d?host=x%3A1"
    assert dict(hidden.secrets) == {"password": "p@ss{}", "sslpassword": "deep"}
    assert not place_of(None, tmp_path / "a.journal").shared
    assert without_password("tune a --storage postgres://u:p%40@h/d -q") == (
        "tune a --storage postgres://u:***@h/d -q"
    )
    assert without_password("--storage postgres://u:p@ss@h/d?password=deep&x=1 -q") == (
        "--storage postgres://u:***@h/d?password=***&x=1 -q"
    )
    for bad in ("postgresql://me:secret@host:port/db", "postgresql://me:secret@[::1/db"):
        with pytest.raises(ConfigError, match="no address") as error:
            place_of(bad, tmp_path)
        assert "secret" not in str(error.value)
    for bad in ("trials.db", "host=h password=secret", "me:secret@h/d", "postgresql:/me:secret@h"):
        with pytest.raises(ConfigError, match="needs an address") as error:
            place_of(bad, tmp_path)
        assert "secret" not in str(error.value)
    for uri, error in (("sqlite:///nowhere/at/all.db", DataError), ("oracel://h/d", ConfigError)):
        with pytest.raises(error, match="storage"):
            begin(a_search(tmp_path, place=place_of(uri, tmp_path)), alone=False)


def test_a_database_says_who_is_gone_and_its_trials_wait_again(tmp_path):
    place = place_of(f"sqlite:///{tmp_path / 'trials.db'}", tmp_path)
    search = a_search(tmp_path, n_trials=3, place=place._replace(beat_seconds=1, grace_seconds=1))
    begin(search, alone=False)

    def torn(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        take(search, torn)
    assert take(search, climb).number == 1
    threading.Event().wait(2.5)
    assert left(search) == 2
    assert take(search, climb).number == 0
    assert take(search, climb).number == 2
    assert [t.state for t in seen(search)] == ["complete"] * 3
    alone = run(a_search(tmp_path, n_trials=3))
    assert [t.params for t in alone] == [t.params for t in seen(search)]


def test_a_trial_that_another_process_ended_meanwhile_is_over_and_ends_no_search(tmp_path):
    search = a_search(tmp_path, n_trials=2, pruner={"kind": "median"})
    begin(search, alone=True)

    def overtaken(trial):
        begin(search, alone=True)  # somebody takes it for left
        assert take(search, climb).number == trial.number
        trial.report(0, 1.0)
        trial.note("late", 1)
        return Worth((99.0,), {})

    late = take(search, overtaken)
    assert (late.number, late.state) == (0, "complete")
    assert late.values == (hill(late.params),)
    assert take(search, climb).number == 1
    assert left(search) == 0
