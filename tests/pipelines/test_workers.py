"""Worker processes outlive a run: the next one, from another folder, is not misled by it."""

import pytest

import touchstone as ts
from small import small_study
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
