"""Files: whole or not there; YAML within caps; names of symbols stay inside their folder."""

import contextlib
import multiprocessing
import os
import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchstone import files
from touchstone.errors import ConfigError, DataError

SYMBOLS = st.from_regex(r"\A[A-Z0-9][A-Z0-9._]{0,19}(/[A-Z]{2,5})?\Z")


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "a.json"
    files.write_text(path, "old")

    def half(file):
        file.write(b"ne")
        raise RuntimeError("pulled the plug")

    with pytest.raises(RuntimeError, match="pulled"):
        files.write_atomically(path, half)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_a_write_replaces_makes_folders_and_is_readable(tmp_path):
    path = tmp_path / "deep" / "er" / "a.bin"
    files.write_bytes(path, b"1")
    files.write_bytes(path, b"22")
    assert path.read_bytes() == b"22"
    assert path.stat().st_mode & 0o777 == 0o644
    assert files.sha256_file(path) == (
        "785f3ec7eb32f30b90cd0fcf3657d388b5ff4297f2f9716ff66e9b69c05ddd09"
    )


def test_a_write_onto_a_folder_fails_clean(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x").touch()
    with pytest.raises(OSError, match=r".+"):
        files.write_text(tmp_path / "a", "text")
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def _hold(path: Path, log: Path, name: str) -> None:
    for _ in range(5):
        with files.lock(path):
            for word in ("in", "out"):
                with log.open("a") as file:
                    file.write(f"{name} {word}\n")
                time.sleep(0.002)


def test_a_lock_keeps_processes_apart(tmp_path):
    fork = multiprocessing.get_context("fork")
    log = tmp_path / "log"
    who = [
        fork.Process(target=_hold, args=(tmp_path / "x" / "lock", log, n), daemon=True)
        for n in "ab"
    ]
    for process in who:
        process.start()
    for process in who:
        process.join(20)
    lines = log.read_text().split("\n")[:-1]
    assert len(lines) == 20
    assert all(a.replace("in", "out") == b for a, b in zip(lines[::2], lines[1::2], strict=True))


def test_a_lock_is_free_after_an_exception(tmp_path):
    with pytest.raises(RuntimeError), files.lock(tmp_path / "lock"):
        raise RuntimeError
    with files.lock(tmp_path / "lock"):
        pass


BOMB = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("a: 1\nb: 2\na: 3\n", "line 3: key 'a' stands twice", id="key twice"),
        pytest.param("a: {b: 1, b: 2}\n", "line 1: key 'b' stands twice", id="inner key twice"),
        pytest.param('1: a\n"1": b\n', "line 2: key '1' stands twice", id="key twice as text"),
        pytest.param(BOMB, "aliases", id="billion laughs"),
        pytest.param("a: &x 1\nb: {<<: *x}\n", "aliases", id="merge"),
        pytest.param("a: !!python/object/apply:os.system [ls]\n", "not YAML", id="python tag"),
        pytest.param("a: !mine 3\n", "not YAML", id="unknown tag"),
        pytest.param("a: [" * 40 + "]" * 40, "nested deeper than 32", id="deep"),
        pytest.param("[" * 100_000, "nested deeper than 32", id="very deep"),
        pytest.param("{a: " * 100_000, "nested deeper than 32", id="very deep mapping"),
        pytest.param("a: " + "x" * 1_000_001, "1000000 at most", id="long"),
        pytest.param("- a\n- b\n", "needs keys and values, got list", id="list"),
        pytest.param("just words", "needs keys and values, got str", id="scalar"),
        pytest.param("a: [1\n", "not YAML", id="broken"),
        pytest.param("a: b: c\n", "not YAML", id="two colons"),
        pytest.param(
            "? [1, 2]\n: 3\n", "line 1: a key needs to be a word", id="key that is a list"
        ),
        pytest.param(
            "? {a: 1}\n: 3\n", "line 1: a key needs to be a word", id="key that is a mapping"
        ),
        pytest.param("a: 2022-13-45\n", "not YAML", id="no such day"),
        pytest.param("a: " + "9" * 5000, "not YAML", id="huge integer"),
        pytest.param("a: \x00\n", "not YAML", id="control character"),
        pytest.param("a: 1\n---\nb: 2\n", "not YAML", id="two documents"),
    ],
)
def test_yaml_that_is_refused(text, says):
    with pytest.raises(ConfigError, match=re.escape(says)) as caught:
        files.parse_yaml(text, "study.yaml")
    assert str(caught.value).startswith("study.yaml: ")
    assert len(str(caught.value)) < 1000


def test_yaml_that_is_read(tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text("a: {b: [1, 2.5, x]}\nc:\n")
    assert files.read_yaml(path) == {"a": {"b": [1, 2.5, "x"]}, "c": None}
    path.write_text("")
    assert files.read_yaml(path) == {}


def test_yaml_file_that_cannot_be_read(tmp_path):
    with pytest.raises(ConfigError, match="no such file"):
        files.read_yaml(tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match="cannot be read as text"):
        files.read_yaml(tmp_path)
    (tmp_path / "bad").write_bytes(b"a: \xff\xfe")
    with pytest.raises(ConfigError, match="cannot be read as text"):
        files.read_yaml(tmp_path / "bad")


def test_a_giant_file_is_refused_unread(tmp_path):
    path = tmp_path / "giant.yaml"
    with path.open("wb") as file:
        file.truncate(50 * 2**30)  # sparse: reading it would take the memory
    with pytest.raises(ConfigError, match="1000000 at most"):
        files.read_yaml(path)


@given(text=st.text(max_size=60))
def test_any_text_is_a_mapping_or_a_config_error(text):
    with contextlib.suppress(ConfigError):
        assert isinstance(files.parse_yaml(text, "x"), dict)


@given(symbol=SYMBOLS)
def test_symbol_to_file_and_back(symbol):
    stem = files.symbol_to_stem(symbol)
    assert files.stem_to_symbol(stem) == symbol
    assert stem == os.path.basename(stem)
    assert stem not in {".", ".."}


@given(one=SYMBOLS, two=SYMBOLS)
def test_two_symbols_never_share_a_file(one, two):
    assert (files.symbol_to_stem(one) == files.symbol_to_stem(two)) == (one == two)


@pytest.mark.parametrize(
    "symbol",
    [
        "",
        "../ETC",
        "..",
        "A/B/C",
        "btc",
        "BTC-USD",
        "BTC\n",
        "BTC\r\nX: 1",
        "/BTC",
        "A" * 21,
        "BTC/US\n",
        "ВТС",  # Cyrillic look-alike
        "BTC USD",
        "A\x00",
    ],
)
def test_what_is_no_symbol(symbol):
    with pytest.raises(DataError, match="not a symbol"):
        files.symbol_to_stem(symbol)


@pytest.mark.parametrize("stem", ["btc", "..", "a b", "BTC-usd", "A-B-C-D", "BTC-USD\n", ""])
def test_what_names_no_symbol(stem):
    with pytest.raises(DataError, match="names no symbol"):
        files.stem_to_symbol(stem)


@pytest.mark.parametrize(
    ("stem", "name"), [("btcusdt", "BTCUSDT"), ("NYSE:LMT", "NYSE.LMT"), ("??", "BTC-USD or BRK.B")]
)
def test_a_wrong_name_is_told_the_right_one(stem, name):
    with pytest.raises(DataError, match=f"rename it, as in {re.escape(name)}$"):
        files.stem_to_symbol(stem)


def test_a_class_of_shares_may_be_written_with_a_dash():
    assert files.stem_to_symbol("BRK-B") == "BRK.B"
    assert files.stem_to_symbol("BTC-USD") == "BTC/USD"
