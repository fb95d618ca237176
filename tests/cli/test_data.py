"""`touchstone data` as a user types it: exit codes, what is said where, and what Ctrl-C leaves."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from downloads import CANARY, changed, walk
from small import touchstone
from touchstone.data.store import BarStore
from touchstone.market import Timeframe
from vendor_server import Answer, VendorServer, article
from walks import HOUR_NS, START_NS

SPAN = ("--from", "2022-01-01", "--to", "2022-01-20", "--calendar", "24/7")
N_BARS = 20 * 24
STORE = Path("data/alpaca")
IS_ROOT = os.geteuid() == 0 and shutil.which("setpriv") is not None


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("APCA_API_KEY_ID", f"{CANARY}-0")
    monkeypatch.setenv("APCA_API_SECRET_KEY", f"{CANARY}-1")
    written = [article(i, ["AAA"], START_NS + i * HOUR_NS) for i in range(5)]
    bars = {s: walk(s, 700, i) for i, s in enumerate(("AAA", "BBB"))}
    with VendorServer(bars, page=200, articles=written) as server:
        monkeypatch.setenv("TOUCHSTONE_VENDOR_URL", server.url)
        yield server


def fetch(*words):
    return touchstone("data", "fetch", *words, *SPAN)


@pytest.mark.parametrize("words", ["", "fetch", "update", "status"])
def test_help_teaches(words):
    code, out, _ = touchstone("data", *words.split(), "--help")
    assert code == 0
    assert len(out) > 400
    if words in ("fetch", "update"):
        assert "Exit code 3" in out


def test_fetch_then_status_then_study(server, tmp_path):
    code, out, err = fetch("AAA", "BBB")
    assert (code, out) == (0, "data/alpaca: 2 of 2 symbols complete, 960 new, 0 revised\n")
    assert re.fullmatch(r"fetch +\d+ pages +\d+\.\d s\n", err)
    assert fetch("AAA", "BBB", "--json", "--quiet")[2] == ""
    code, out, _ = touchstone("data", "status", "data/alpaca", "--json", "--verify")
    told = json.loads(out)
    assert (code, told["problems"], told["dvc"], len(told["content"])) == (0, [], None, 64)
    first = told["series"][0]
    assert (first["symbol"], first["bars"], first["first"]) == (
        "AAA",
        N_BARS,
        "2022-01-01T00:00:00Z",
    )
    assert (first["source"], first["feed"], first["adjustment"]) == ("alpaca", "sip", "all")
    assert first["chunks"] == {"stored": 1, "done": 0, "open": 0, "failed": 0}
    study = "bars: {source: alpaca, path: data/alpaca, calendar: 24/7}\n"
    folds = "folds: {kind: walk_forward, train: 5d, validate: 3d, test: 3d, sealed: 3d}\n"
    (tmp_path / "study.yaml").write_text(study + folds)
    n_asked = len(server.asked)
    code, out, err = touchstone("check", "study.yaml")
    assert code == 0, err
    assert len(server.asked) == n_asked, "a study never touches the network"


def test_status_writes_nothing(server, tmp_path):
    """So that it works on a store that is another's, and beside a download."""
    assert fetch("AAA")[0] == 0
    store = tmp_path / "data" / "alpaca"
    changed_rows = {"AAA": changed(walk("AAA", 700, 0), [478], 1.5)}
    server.bars |= changed_rows
    assert touchstone("data", "update", store)[0] == 0
    before = {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in store.rglob("*") if p.is_file()}
    command = [sys.executable, "-m", "touchstone", "data", "status", str(store), "--verify"]
    for path in (*store.rglob("*"), store):
        path.chmod(path.stat().st_mode & ~0o222)
    try:
        # root may write anywhere, unless it gives that up
        drop = ["setpriv", "--bounding-set", "-all", "--inh-caps", "-all"] if IS_ROOT else []
        done = subprocess.run([*drop, *command], capture_output=True, text=True, check=False)
    finally:
        for path in (store, *store.rglob("*")):
            path.chmod(path.stat().st_mode | 0o700)
    assert (done.returncode, done.stderr) == (0, "")
    assert "every file is what the manifest says" in done.stdout
    after = {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in store.rglob("*") if p.is_file()}
    assert before == after


@pytest.mark.usefixtures("server")
def test_a_store_can_be_looked_at(tmp_path):
    assert fetch("AAA")[0] == 0
    store = tmp_path / "data" / "alpaca"
    code, out, err = touchstone("inspect", store)
    assert (code, err) == (0, "")
    assert "bars of 1 instruments" in out
    assert json.loads(touchstone("data", "check", store, "--json")[1])["calendar"] == "24/7"


def test_one_bad_symbol_fails_alone_with_code_3(server):
    server.mischief = lambda asked, answer: (
        Answer({"message": f"no such thing, {CANARY}-1"}, 422) if asked.symbol == "ZZZ" else answer
    )
    code, out, err = fetch("AAA", "ZZZ", "BBB", "--json")
    told = {s["symbol"]: s for s in json.loads(out)["symbols"]}
    assert (code, told["AAA"]["bars"], told["BBB"]["bars"]) == (3, N_BARS, N_BARS)
    assert told["ZZZ"]["reasons"] == ['Alpaca answers 422: {"message": "no such thing, ***"}']
    code, out, err = fetch("ZZZ")
    assert (code, CANARY in out + err) == (3, False)
    assert err.splitlines()[-1].startswith("ZZZ: Alpaca answers 422")
    code, out, _ = touchstone("data", "status", "data/alpaca")
    assert code == 0
    assert "failed: Alpaca answers 422" in out


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("source", ["alpaca", "yahoo"])
def test_without_network_one_line_and_code_3(monkeypatch, source):
    monkeypatch.setenv("TOUCHSTONE_VENDOR_URL", "http://127.0.0.1:9")
    code, out, err = fetch("AAA", "BBB", "--source", source, "--quiet")
    assert (code, out) == (3, "")
    assert err.count("\n") == 1
    assert "cannot be reached" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("AAA", "--source", "csv"), 2, "is not fetched"),
        (("AAA", "--source", "alpacca"), 2, "Did you mean 'alpaca'?"),
        (("AAA", "--set", "fead=sip"), 2, "Did you mean 'feed'?"),
        (("AAA", "--set", "feed=all"), 2, "feed"),
        (("AAA", "--timeframe", "1w"), 2, "timeframe '1w'"),
        ((), 2, "name some"),
        (("../x",), 3, "is not a symbol"),
        (("AAA", "--rate", "0"), 2, "rate"),
        (("AAA", "--url", "nowhere"), 2, "needs the address of a server"),
        (("AAA", "--url", "ftp://127.0.0.1/"), 2, "needs the address of a server"),
        (("AAA", "--url", "http://["), 2, "needs the address of a server"),
        (("AAA", "--news", "--source", "yahoo"), 2, "no news; alpaca has"),
        (("--symbols-file", "nowhere.txt"), 3, "nowhere.txt"),
    ],
)
def test_mistakes_are_told(server, words, code, says):
    found, out, err = fetch(*words)
    assert (found, out) == (code, "")
    assert says in err
    assert "Traceback" not in err
    assert server.asked == []


@pytest.mark.usefixtures("server")
def test_missing_keys_are_named(monkeypatch):
    monkeypatch.delenv("APCA_API_SECRET_KEY")
    code, _, err = fetch("AAA")
    assert (code, "no APCA_API_SECRET_KEY: export" in err, CANARY in err) == (2, True, False)


@pytest.mark.usefixtures("server")
def test_symbols_from_a_file(tmp_path):
    (tmp_path / "names.txt").write_text("# two of them\nAAA\n\nBBB  # the second\n")
    code, out, _ = fetch("--symbols-file", "names.txt")
    assert (code, out.startswith("data/alpaca: 2 of 2")) == (0, True)


def test_names_that_yahoo_has_for_itself(server):
    server.bars |= {"^GSPC": walk("^GSPC"), "ES=F": walk("ES=F")}
    names = ("--set", "names.GSPC=^GSPC", "--set", "names.ES=ES=F")
    code, _, err = fetch("GSPC", "ES", "--source", "yahoo", *names)
    assert (code, err.count("\n")) == (0, 1), err
    assert [r.symbol for r in BarStore(Path("data/yahoo")).rows()] == ["ES", "GSPC"]
    assert touchstone("data", "update", "data/yahoo", "--symbols", "ES")[0] == 0


@pytest.mark.usefixtures("server")
def test_news_into_the_store():
    code, out, _ = fetch("AAA", "--news")
    assert (code, out) == (0, "data/alpaca: 1 of 1 symbols complete, 5 new, 0 revised\n")
    assert "5  versions of articles" in touchstone("data", "status", "data/alpaca")[1]


def test_update_compares_and_says_how_much(server):
    fetch("AAA", "--set", "adjustment=raw")
    server.bars["AAA"] = changed(server.bars["AAA"], [N_BARS - 5], 1.01)
    code, out, _ = touchstone("data", "update", "data/alpaca")
    assert (code, out) == (0, "data/alpaca: 1 of 1 symbols complete, 220 new, 1 revised\n")
    assert "1 revisions" in touchstone("data", "status", "data/alpaca")[1]
    assert touchstone("data", "update", "data/alpaca", "--symbols", "NOSUCH")[0] == 3
    assert touchstone("data", "update", "nowhere")[0] == 3
    assert touchstone("data", "status", "nowhere")[0] == 3


@pytest.mark.usefixtures("server")
def test_a_damaged_file_is_found_with_code_3():
    fetch("AAA")
    row = BarStore(STORE).rows()[0]
    with (STORE / row.file).open("ab") as file:
        file.write(b"x")
    code, out, _ = touchstone("data", "status", "data/alpaca", "--verify")
    assert (code, "problem: " in out) == (3, True)


@pytest.mark.usefixtures("server")
def test_the_dvc_hash_stands_in_the_status(tmp_path):
    fetch("AAA")
    md5 = f"{'0f' * 16}.dir"
    (tmp_path / "data" / "alpaca.dvc").write_text(f"outs:\n- md5: {md5}\n  path: alpaca\n")
    assert f"DVC {md5}" in touchstone("data", "status", "data/alpaca")[1]


def test_ctrl_c_is_quick_and_the_same_command_goes_on(server, tmp_path):
    server.page = 20
    kept = server.answer

    def slowly(asked):
        time.sleep(0.05 if asked.n < 6 else 40)  # nobody may wait for those that come later
        return kept(asked)

    server.answer = slowly
    words = [sys.executable, "-m", "touchstone", "data", "fetch", "AAA", "BBB", *SPAN]
    pipe = subprocess.PIPE
    process = subprocess.Popen(words, cwd=tmp_path, stdout=pipe, stderr=pipe, text=True)
    while len(server.asked) < 8:
        time.sleep(0.01)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert time.monotonic() - began < 20
    assert (process.returncode, out) == (130, "")
    assert "the same command resumes" in err
    assert "Traceback" not in err
    n_asked, server.answer = len(server.asked), kept
    assert fetch("AAA", "BBB", "--rate", "100000")[0] == 0
    n_pages = 2 * -(-N_BARS // 20)
    assert len(server.asked) - n_asked < n_pages, "some pages were kept"
    assert len(BarStore(STORE).read("AAA", Timeframe("1h"))) == N_BARS
