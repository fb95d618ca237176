"""Through the gate by the command line: planted edges pass, every fault is refused by name."""

import json
import re
import shutil
import sqlite3

import numpy as np
import pytest
from safetensors.numpy import load, save

import touchstone as ts
from promotions import (
    EDGES,
    audited,
    book_of,
    edge_study,
    recorded,
    run_of,
    with_diagnostics,
)
from small import touchstone
from touchstone.ledger import Candidate, Look, span_of
from touchstone.pipelines.run import overrides
from touchstone.registry import artifact as shelf
from touchstone.registry import folder as folders
from touchstone.registry import manifest as listing
from touchstone.registry.champions import Champions
from touchstone.registry.manifest import Manifest
from touchstone.validation.gate import AUDIT_LAYERS


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A workspace with three finished runs, none audited."""
    out = tmp_path_factory.mktemp("made")
    for name in EDGES:
        ts.run(str(edge_study(out, name)), out=out, jobs=1)
    shutil.rmtree(out / ".touchstone" / "cache")
    return out


@pytest.fixture
def out(made, tmp_path):
    """A copy that a test may spoil."""
    return shutil.copytree(made, tmp_path / "workspace")


def promote(out, *words):
    return touchstone("promote", *words, "--out", out)


def refused(out, *words):
    """The conditions that kept a run out, each with its sentence, as machines read them."""
    code, text, err = promote(out, *words, "--json")
    assert (code, err) == (4, "")
    conditions = json.loads(text)["card"]["conditions"]
    assert len(conditions) == 10
    assert not (out / "registry").exists()
    return {c["name"]: c["sentence"] for c in conditions if c["status"] == "not met"}


def latest(out):
    """The newest row of the ledger, its facts."""
    row = book_of(out).rows()[-1]
    return row.kind, json.loads(row.facts)


@pytest.mark.parametrize("name", EDGES)
def test_a_planted_edge_passes(out, name):
    run = run_of(out, name)
    audited(out, run)
    code, text, err = promote(out, name)
    assert (code, err) == (0, "")
    assert f"is champion of {name}, version 1" in text
    found = Champions(out / "registry", name).load("champion")
    assert found.manifest == shelf.load(run.folder / "artifact").manifest
    kind, facts = latest(out)
    assert (kind, facts["act"], facts["unmet"]) == ("promotion", "promoted", [])
    card = json.loads((out / "registry" / name / "cards" / "1.json").read_text())
    assert {c["status"] for c in card["conditions"]} == {"met"}
    page = (out / "registry" / name / "cards" / "1.html").read_text()
    assert "May trade: every condition is met" in page
    assert not re.search(r"""(src|href)\s*=\s*["']https?:""", page)
    assert touchstone("ledger", "verify", "--out", out)[0] == 0


def test_a_promotion_that_was_stopped_before_its_card_is_ended_by_the_same_command(out):
    run = run_of(out, "trees")
    audited(out, run)
    assert promote(out, "trees")[0] == 0
    card, before = out / "registry" / "trees" / "cards" / "1.html", latest(out)
    page = card.read_text()
    shutil.rmtree(card.parent)
    (run.folder / "card.html").unlink()
    assert promote(out, "trees")[0] == 0
    assert card.read_text() == page
    assert (latest(out), len(Champions(out / "registry", "trees").history())) == (before, 2)
    assert promote(out, "trees")[0] == 4
    assert touchstone("ledger", "verify", "--out", out)[0] == 0


def test_one_name_after_another_and_the_way_back(out):
    for name in EDGES:
        audited(out, run_of(out, name))
        assert promote(out, name, "--name", "desk")[0] == 0
    code, text, _ = touchstone("registry", "list", "--out", out, "--json")
    (one,) = json.loads(text)
    assert (code, one["name"], one["champion"]["version"]) == (0, "desk", 3)
    assert one["aliases"] == {"champion": 3, "previous": 2}
    code, _, err = promote(out, "threshold", "--name", "desk")
    assert code == 4
    assert "is champion already" in err
    code, text, _ = touchstone("promote", "--rollback", "desk", "--out", out)
    assert code == 0
    assert "version 2, is champion of desk again" in text
    assert latest(out)[1]["act"] == "rolled back"
    code, text, _ = touchstone("registry", "show", "desk", "--out", out)
    assert "champion    version 2" in text
    assert text.count("promoted") == 3
    assert touchstone("ledger", "verify", "--out", out)[0] == 0
    code, _, err = promote(out, "--rollback", "desk", "--ledger", out / "elsewhere.sqlite")
    assert (code, "no ledger there" in err) == (3, True)
    assert not (out / "elsewhere.sqlite").exists()
    newest = sorted((out / "registry" / "desk" / "history").iterdir())[-1]
    newest.unlink()  # as if it had never been rolled back
    code, text, _ = touchstone("ledger", "verify", "--out", out)
    assert code == 4
    assert "its history tells of 3 promotions and roll-backs, the ledger of 4" in text


def test_without_an_audit(out):
    assert refused(out, "trees") == {
        "leak audit": "no leak audit of this study was run: touchstone audit runs one"
    }
    kind, facts = latest(out)
    assert (kind, facts["act"], facts["unmet"]) == ("promotion", "refused", ["leak audit"])
    code, text, err = promote(out, "trees")
    assert (code, text) == (4, "")
    assert "is refused: 1 of the gate's 10 conditions is not met" in err
    assert "no leak audit of this study was run: touchstone audit runs one" in err
    page = (run_of(out, "trees").folder / "card.html").read_text()
    assert "May not trade: 1 of 10 conditions is not met" in page


def halted(layer):
    """An audit in which one layer found something."""
    layers = {name: {"found": name == layer} for name in AUDIT_LAYERS}
    return {"result": "HALT", "layers": layers, "findings": [{"sentence": "x moved at row 7"}]}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (halted("F"), "the leak audit found something: HALT, 1\u00a0finding; the first: x moved"),
        (halted("E"), "the leak audit found something: HALT, 1\u00a0finding; the first: x moved"),
        ({"source": "0123456789abcdef"},
         "no leak audit of this study was run: the audits there are were of other code"),
        ({"data": "0123456789abcdef"},
         "no leak audit of this study was run: the audits there are were of other code or other b"),
        ({"layers": {"A": {}, "F": {}}},
         "no leak audit of this study was run: the newest left out layers B, C, C2, D, E"),
        ({"layers": None},
         "no leak audit of this study was run: the newest left out layers A, B, C, C2, D, E, F"),
    ],
    ids=["smoke", "ledger", "other code", "other bars", "layers left out", "no layers told"],
)  # fmt: skip
def test_with_another_audit(out, changes, said):
    run = run_of(out, "trees")
    audited(out, run, **changes)
    (sentence,) = refused(out, "trees").values()
    assert sentence.startswith(said)
    audited(out, run)  # the newest of this code counts, whatever was found before
    assert promote(out, "trees")[0] == 0


def test_the_newest_audit_counts(out):
    run = run_of(out, "trees")
    audited(out, run)
    audited(out, run, **halted("F"))
    assert list(refused(out, "trees")) == ["leak audit"]


@pytest.mark.parametrize("changes", [halted("A"), halted("D"), {"result": "HALT", "layers": None}])
def test_a_leak_that_was_shown_is_not_audited_away(out, changes):
    """The attack: audit again with other cuts, until none of them meets the leak."""
    run = run_of(out, "trees")
    audited(out, run, **changes)
    audited(out, run)
    assert list(refused(out, "trees")) == ["leak audit"]


def test_a_look_at_one_layer_does_not_undo_the_audit_of_all(out):
    run = run_of(out, "trees")
    audited(out, run)
    audited(out, run, layers={"A": {"found": False}})
    assert promote(out, "trees")[0] == 0


@pytest.mark.parametrize("key", ["better_than_buy_and_hold", "expectancy_lower", "control_rank"])
def test_with_a_bound_that_is_not_above(out, key):
    run = with_diagnostics(out, run_of(out, "trees"), **{key: -0.01})
    audited(out, run)
    (sentence,) = refused(out, "trees").values()
    assert "needs to be above" in sentence
    market = run.result.market
    without = {k: v for k, v in market.diagnostics.items() if k != key}
    changed = run.result.model_copy(
        update={"market": market.model_copy(update={"diagnostics": without})}
    )
    with_diagnostics(out, run._replace(result=changed))
    (sentence,) = refused(out, "trees").values()
    assert "not known" in sentence
    assert "touchstone run --again" in sentence


def golden_edited(folder):
    """Another decision in the first golden row."""
    path = folder / "golden.safetensors"
    arrays = load(path.read_bytes())
    arrays["enter"][0] = not arrays["enter"][0]
    path.write_bytes(save({k: np.ascontiguousarray(v) for k, v in arrays.items()}))


def sealed_anew(folder):
    """The same, and a manifest that was made to agree with it."""
    golden_edited(folder)
    old = listing.parse((folder / "manifest.json").read_bytes(), "manifest")
    files = old.files | {
        "golden.safetensors": folders.entry((folder / "golden.safetensors").read_bytes())
    }
    told = old.model_dump(mode="json") | {"files": files}
    (folder / "manifest.json").write_bytes(Manifest.parse(told).sealed().to_json())


def exchanged(folder):
    """The sound artifact of another run."""
    shutil.rmtree(folder)
    shutil.copytree(run_of(folder.parents[2], "logistic").folder / "artifact", folder)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (golden_edited, r"golden\.safetensors: got .* the file was changed"),
        (sealed_anew, r"got artifact \w+, needed \w+"),
        (exchanged, r"got artifact \w+, needed \w+"),
        (shutil.rmtree, "got no folder"),
    ],
)
def test_an_artifact_that_is_not_as_it_was(out, spoil, said):
    run = run_of(out, "trees")
    audited(out, run)
    spoil(run.folder / "artifact")
    ((condition, sentence),) = refused(out, "trees").items()
    assert condition == "golden rows"
    assert sentence.startswith("the artifact does not give its recorded decisions: ")
    assert re.search(said, sentence)
    found = touchstone("ledger", "verify", "--out", out)
    assert found[0] == (4 if spoil in (sealed_anew, exchanged) else 0)


def looked_at_by_another(out, run):
    """Another study opens the sealed rows of a run."""
    book, row = book_of(out), recorded(out, run)
    (look,) = (r["look"] for r in book.written("look", run.result.fingerprint))
    span = span_of(look["span"])
    book.sweep(row["data"], "other", span._replace(start=0, end=1), (Candidate("x", 0.1, 30),))
    book.look(Look(row["data"], "other", 7, row["source"], span), lambda: "seen")


def test_a_second_study_on_the_sealed_rows_and_an_override(out):
    run = run_of(out, "trees")
    audited(out, run)
    looked_at_by_another(out, run)
    ((condition, sentence),) = refused(out, "trees").items()
    assert condition == "verdict"
    assert sentence.startswith("the verdict is 'exploratory', and only 'evidence' may trade")
    assert "2 studies have looked at these sealed rows by now" in sentence
    (sentence,) = refused(out, "trees", "--override", "  ").values()
    assert "an override needs its reason" in sentence
    reason = "a trial of the desk, <b>1,000 USD</b> at most"
    code, text, _ = promote(out, "trees", "--override", reason)
    assert code == 0
    assert f"against its verdict 'exploratory': {reason}" in text
    facts = latest(out)[1]
    assert (facts["act"], facts["override"]) == ("promoted", reason)
    assert facts["who"]
    card = (out / "registry" / "trees" / "cards" / "1.html").read_text()
    for page in (card, (run.folder / "report.html").read_text()):
        assert re.search(r'class="banner broken"[^>]*><b>(Override|Promoted by override)', page)
        assert "a trial of the desk, &lt;b&gt;1,000 USD" in page
        assert "<b>1,000" not in page
    assert "May trade, against its verdict" in card
    assert Champions(out / "registry", "trees").version("champion").run == run.name


def test_a_look_that_another_ledger_counts_is_a_look(out):
    """The attack: try with another ledger, keep what is best, count nothing here."""
    run = run_of(out, "trees")
    audited(out, run)
    changed = edge_study(out, "trees")
    elsewhere = out / "elsewhere.sqlite"
    words = ("run", changed, "--set", "strategy.max_positions=3", "--set", "name=tried")
    assert touchstone(*words, "--out", out, "--ledger", elsewhere, "--jobs", 1, "-q")[0] == 0
    ((condition, sentence),) = refused(out, "trees").items()
    assert condition == "verdict"
    assert re.search(r"'exploratory'.*tried-\w+ looked at these rows with another ledger", sentence)
    shutil.rmtree(run_of(out, "tried").folder)
    assert promote(out, "trees")[0] == 0


def test_looking_again_after_another_study_gives_the_same_bytes_and_no_way_around_it(out):
    """The attack: repeat the run until its word is the old one again."""
    run = run_of(out, "threshold")
    audited(out, run)
    looked_at_by_another(out, run)
    assert promote(out, "threshold", "--override", "the desk's own money")[0] == 0
    ts.run(str(edge_study(out, "threshold")), out=out, jobs=1, again=True)
    again = run_of(out, "threshold")
    assert again.result.market.verdict.word == "exploratory"
    assert again.result.market.sealed == run.result.market.sealed  # from the ledger
    assert recorded(out, again)["artifact"] == recorded(out, run)["artifact"]
    assert "the desk&#39;s own money" in (run.folder / "report.html").read_text()
    audited(out, again)
    code, text, _ = promote(out, "threshold", "--name", "another", "--json")
    assert code == 4
    unmet = [c for c in json.loads(text)["card"]["conditions"] if c["status"] == "not met"]
    assert [c["name"] for c in unmet] == ["verdict"]


def test_an_artifact_of_which_no_candidate_was_compared_is_found(out):
    run = run_of(out, "trees")
    strange = run.folder / "folds" / "1"
    shutil.copytree(run.folder / "artifact", strange)
    assert touchstone("ledger", "verify", "--out", out)[0] == 0  # of this very candidate
    old = listing.parse((strange / "manifest.json").read_bytes(), "manifest")
    origin = old.origin.model_copy(update={"candidate": "deadbeef"})
    told = old.model_copy(update={"origin": origin}).sealed()
    (strange / "manifest.json").write_bytes(told.to_json())
    code, text, _ = touchstone("ledger", "verify", "--out", out)
    assert code == 4
    assert "the candidate deadbeef of its artifact was never compared here" in text


def test_an_override_sets_no_other_condition_aside(out):
    looked_at_by_another(out, run_of(out, "trees"))
    assert list(refused(out, "trees", "--override", "I insist")) == ["leak audit"]
    assert latest(out)[1]["override"] == "I insist"
    assert overrides(book_of(out), run_of(out, "trees").result.fingerprint) == ()  # it trades not


def edit_result(run):
    path = run.folder / "result.json"
    path.write_text(path.read_text().replace('"word": "evidence"', '"word": "evidence" '))


def edit_head(run):
    path = run.folder / "run.json"
    path.write_text(re.sub(r'"ledger_head": "\d+:\w+"', '"ledger_head": "5:00"', path.read_text()))


def edit_ledger(run):
    path = run.folder.parents[1] / ".touchstone" / "ledger.sqlite"
    with sqlite3.connect(path) as book:
        book.execute("DROP TRIGGER no_update")
        book.execute("UPDATE rows SET who = 'nobody' WHERE id = 2")
    book.close()


def begin_ledger_anew(run):
    path = run.folder.parents[1] / ".touchstone" / "ledger.sqlite"
    path.unlink()
    book_of(run.folder.parents[1]).record("fit", "c", "d", {})


@pytest.mark.parametrize(
    ("spoil", "said", "verified"),
    [
        (edit_result, "knows no run with this result.json", "result.json is not the one"),
        (edit_head, "not the one this run was made with", "is not of this ledger"),
        (edit_ledger, "row 2: was edited", "row 2: was edited"),
        (begin_ledger_anew, "not the one this run was made with", "is not of this ledger"),
    ],
)
def test_nothing_is_promoted_on_what_was_edited(out, spoil, said, verified):
    run = run_of(out, "trees")
    audited(out, run)
    spoil(run)
    code, _, err = promote(out, "trees")
    assert code == 4
    assert said in err
    assert not (out / "registry").exists()
    code, text, _ = touchstone("ledger", "verify", "--out", out)
    assert code == 4
    assert verified in text
    code, text, _ = touchstone("ledger", "verify", "--out", out, "--json")
    assert (code, json.loads(text)["sound"]) == (4, False)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), 2, "needs a RUN"),
        (("trees", "--rollback", "x"), 2, "stands alone"),
        (("nobody",), 3, "no finished run 'nobody'"),
        (("--rollback", "nobody"), 3, "nothing was ever promoted"),
        (("trees", "--name", "../up"), 2, "needs lower-case letters"),
        (("trees", "--name", ""), 2, "needs lower-case letters"),
        (("trees", "--name", "h\u00f6urly/x"), 2, "needs lower-case letters"),
        (("trees", "--override", "beep \x07"), 2, "words that can be printed"),
        (("trees", "--override", "cut \udcff"), 2, "words that can be printed"),
        (("trees", "--override", "x" * 1001), 2, "needed 1,000 at most"),
        (("",), 3, "no finished run ''"),
        (("/no/such/run",), 3, "no finished run '/no/such/run'"),
        (("**",), 3, "no finished run '**'"),
        (("t*",), 3, "no finished run 't*'"),
        (("trees", "--ledger", "elsewhere.sqlite"), 3, "no ledger there"),
        (("--rollback", "trees", "--ledger", "elsewhere.sqlite"), 3, "nothing was ever promoted"),
    ],
    ids=str,
)
def test_what_cannot_be_meant_is_refused_and_writes_nothing(made, words, code, said):
    before = book_of(made).head()
    found, _, err = promote(made, *words)
    assert (found, said in err) == (code, True)
    assert book_of(made).head() == before


def test_the_ledger_is_listed_by_kind_and_study_and_shown_row_by_row(made):
    run = run_of(made, "trees")
    words = ("ledger", "list", "--out", made, "--json")
    rows = json.loads(touchstone(*words, "--last", 1000)[1])
    assert len(rows) == book_of(made).head().n_rows
    looks = json.loads(touchstone(*words, "--kind", "look")[1])
    assert len(looks) == len(EDGES)
    own = json.loads(touchstone(*words, "--study", run.result.fingerprint[:8])[1])
    assert {r["kind"] for r in own} == {"sweep", "look", "run"}
    data = json.loads(touchstone(*words, "--data", looks[0]["data"], "--kind", "look")[1])
    assert data == looks[:1]
    code, text, _ = touchstone("ledger", "show", looks[0]["id"], "--out", made)
    assert code == 0
    assert "answer" in text
    assert json.loads(touchstone("ledger", "show", 2, "--out", made, "--json")[1]) == rows[1]
    assert touchstone("ledger", "show", 9999, "--out", made)[0] == 3
    assert len(touchstone("ledger", "show", "--last", 5, "--out", made)[1].splitlines()) == 5
