"""Worker processes outlive a run: the next one, from another folder, is not misled by it."""

import pytest
from joblib import delayed
from threadpoolctl import threadpool_info

import touchstone as ts
from small import small_study
from touchstone.pipelines.workers import workers
from touchstone.validation.ledger import SqliteLedger


@pytest.mark.parametrize("plugin", [False, True])
def test_workers_of_an_earlier_run_serve_a_run_in_another_folder(tmp_path, monkeypatch, plugin):
    for seed in (1, 2):
        folder = tmp_path / str(seed)
        folder.mkdir()
        own = {"plugins": ["own.py"]} if plugin else {}
        (folder / "own.py").write_text("NUMBER = 1\n")
        small_study(folder, seed=seed, **own)
        monkeypatch.chdir(folder)
        run = ts.run("small.yaml", jobs=2)
        assert (folder / run.folder / "run.json").is_file()
        book = SqliteLedger(folder / ".touchstone" / "ledger.sqlite", "test", "none", str)
        assert book.verify() == ()
        kinds = [row.kind for row in book.rows()]
        assert kinds.count("fit") == 5


def test_a_worker_uses_one_thread_whatever_the_environment_allows(tmp_path, monkeypatch):
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.setenv(name, "2")
    (tmp_path / "own.py").write_text("NUMBER = 3\n")
    found = list(workers(2, (tmp_path / "own.py",))(delayed(threadpool_info)() for _ in range(4)))
    assert len(found) == 4
    for pools in found:
        assert pools, "no library of linear algebra was loaded"
        assert {pool["num_threads"] for pool in pools} == {1}, pools
