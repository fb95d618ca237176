"""12-19, 28, 29: what must not matter does not."""

import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl
from hypothesis import assume, given
from hypothesis import strategies as st

import touchstone
from execution.properties.reflected import reflected
from execution.properties.runs import (
    DRIVERS,
    Done,
    decided,
    done,
    fresh,
    line_of,
    prices_scaled,
    rows_kept,
    rows_moved,
    run,
)
from execution.properties.worlds import (
    EXACT,
    LINEAR,
    NO_HALTS,
    NONE,
    Happening,
    Weighting,
    World,
    examples,
    is_orders,
    market,
    shapes,
    worlds,
)
from touchstone.backtest import sweep
from touchstone.execution.columns import Events, Given
from touchstone.execution.history import Path as Written
from touchstone.execution.records import tape
from touchstone.market import Bars, Panel
from touchstone.market.actions import DIVIDEND, SPLIT
from touchstone.strategies import Intent
from walks import HOUR_NS

ROOT = Path(__file__).parents[3]
COLUMNS = ("row", "quantity", "price", "commission", "left", "reason")


def same_bits(one: Done, other: Done, rows: np.ndarray | None = None) -> None:
    """Paths and fills agree bit by bit; `rows`: old row of each of the other's rows."""
    for name in Written._fields:
        np.testing.assert_array_equal(getattr(one.path, name), getattr(other.path, name))
    for name in COLUMNS:
        got = getattr(other.fills, name)
        got = rows[got] if name == "row" and rows is not None else got
        np.testing.assert_array_equal(getattr(one.fills, name), got)


@examples
@given(worlds(), st.sampled_from([0.25, 2.0, 1024.0]))
def test_12_another_unit_of_money_gives_the_same_returns_bit_by_bit(world, k):
    world = world._replace(
        account=world.account.model_copy(update={"units": "fractional"}),
        costs=world.costs.model_copy(update=EXACT),
    )
    one, other = run(world), run(prices_scaled(world, k))
    np.testing.assert_array_equal(one.equity * k, other.equity)
    np.testing.assert_array_equal(one.path.cash * k, other.path.cash)
    np.testing.assert_array_equal(one.fills.quantity, other.fills.quantity)


@examples
@given(worlds(), st.integers(0, 100))
def test_13_the_order_of_the_symbols_changes_nothing(world, seed):
    panel = world.panel
    order = np.random.default_rng(seed).permutation(panel.n_instruments)
    rows = np.concatenate([np.arange(panel.offsets[i], panel.offsets[i + 1]) for i in order])
    shuffled = Panel.from_bars([panel.bars(i) for i in order], panel.timeframe, panel.calendar)
    # orders given at one instant are served as they were given, whatever the symbols' order
    other = run(rows_moved(world, rows, shuffled))
    same_bits(run(world), other, rows)


@examples
@given(worlds(), st.sampled_from(["A", "S00", "Z"]), st.booleans())
def test_14_a_symbol_that_is_not_traded_changes_nothing(world, symbol, denser):
    """Fixed decisions. Its own bars may stand where the others have none."""
    panel = world.panel
    first, last = int(panel.time.min()), int(panel.time.max())
    time = np.arange(first - HOUR_NS, last + 2 * HOUR_NS, HOUR_NS // (2 if denser else 1))
    heeds = world.account.drawdown or world.account.daily_loss
    on_clock = world.costs.impact_half_life or world.account.cool_down  # they count its bars
    if on_clock or (heeds and world.happenings):  # which are met at its first instant after
        time = panel.blocks().time
    price = np.full(time.size, 50.0)
    extra = Bars(symbol, time, price, price, price, price, price)
    wider = Panel.from_bars(
        [*(panel.bars(i) for i in range(panel.n_instruments)), extra],
        panel.timeframe, panel.calendar,
    )  # fmt: skip
    assume(all(h.time <= last for h in world.happenings))  # later ones have no bar to stand at
    n = time.size
    decision = world.decision
    if isinstance(decision, Intent):
        nothing = dict.fromkeys(("rank", "up", "down", "weight"), np.ones(n))
        nothing |= dict.fromkeys(("enter", "leave"), np.zeros(n, bool))
        decision = decision._replace(
            side=None if decision.side is None else np.r_[decision.side, np.ones(n, np.int8)],
            **{k: np.r_[getattr(decision, k), v] for k, v in nothing.items()},
        )
    elif not is_orders(decision):
        decision = decision._replace(weight=np.r_[decision.weight, np.full(n, np.nan)])
    else:
        decision = tuple(o._replace(life=None) for o in decision)
        world = world._replace(decision=decision)
    extra_columns = {
        k: np.r_[getattr(world, k), np.full(n, new)] if getattr(world, k).size else old
        for k, new, old in (
            ("half_spread", 0.001, NONE),
            ("sigma", 0.001, NONE),
            ("halted", False, NO_HALTS),
        )
    }
    wide = world._replace(panel=wider, decision=decision, **extra_columns)
    one, other = run(world), run(wide)
    np.testing.assert_array_equal(one.fills.row, other.fills.row)
    shared = np.isin(other.line.time, one.line.time)
    close = {"rtol": 1e-12, "atol": 1e-9 * world.account.cash}  # interest is paid in more parts
    np.testing.assert_allclose(one.fills.quantity, other.fills.quantity, **close)
    np.testing.assert_allclose(one.equity, other.equity[shared], **close)


@examples
@given(worlds(), st.integers(1, 49))
def test_15_two_runs_with_the_state_carried_are_one(world, cut):
    whole = run(world)
    line = line_of(world)
    assume(cut < line.time.size)
    decision = decided(world, line)
    state, filled, halves = fresh(world), tape(whole.tape.fills.size), []
    for part in (slice(None, cut), slice(cut, None)):
        firsts = slice(part.start, None if part.stop is None else part.stop + 1)
        events = line.world.events
        if events.first.size:
            events = events._replace(first=np.ascontiguousarray(events.first[firsts]))
        times = line._replace(
            time=line.time[part], day=line.day[part], rows=line.rows[part],
            world=line.world._replace(events=events),
        )  # fmt: skip
        first = np.ascontiguousarray(decision.first[firsts])
        piece = decision._replace(first=first)
        if isinstance(decision, Given):
            its_own = decision.order[first[0] : first[-1]]
            piece = decision._replace(first=first - first[0], order=its_own)
        halves.append(DRIVERS[type(decision)](state, times, piece, filled))
    path = Written(*(np.concatenate(pair) for pair in zip(*halves, strict=True)))
    same_bits(whole, done(world, line, path, (state, filled)))
    for one, other in zip(whole.state, state, strict=True):
        np.testing.assert_array_equal(one, other)


def until(world: World, cut: int) -> Done:
    """A world whose bars are all there, walked as far as its first `cut` instants."""
    line = line_of(world)
    decision, events = decided(world, line), line.world.events
    if events.first.size:
        n = events.first[cut]
        events = Events(events.first[: cut + 1], *(c[:n] for c in events[1:]))
    times = line._replace(
        time=line.time[:cut], day=line.day[:cut], rows=line.rows[:cut],
        world=line.world._replace(events=events),
    )  # fmt: skip
    decision = decision._replace(first=np.ascontiguousarray(decision.first[: cut + 1]))
    if isinstance(decision, Given):
        decision = decision._replace(order=decision.order[: decision.first[-1]])
    state, filled = fresh(world), tape(3_000)
    path = DRIVERS[type(decision)](state, times, decision, filled)
    return done(world, times, path, (state, filled))


@examples
@given(worlds(), st.integers(1, 48))
def test_16_a_future_cut_off_leaves_the_past(world, cut):
    times = world.panel.blocks().time
    assume(cut < times.size)
    keep = world.panel.time <= times[cut - 1]
    short = rows_kept(world, keep)
    short = short._replace(
        happenings=tuple(h for h in world.happenings if h.time <= times[cut - 1])
    )
    one, past = run(world), run(short)
    for name in Written._fields:
        np.testing.assert_array_equal(getattr(one.path, name)[:cut], getattr(past.path, name))
    rows = np.flatnonzero(keep)
    n = past.fills.row.size
    np.testing.assert_array_equal(one.fills.row[:n], rows[past.fills.row])
    np.testing.assert_array_equal(one.fills.price[:n], past.fills.price)
    np.testing.assert_array_equal(one.fills.quantity[:n], past.fills.quantity)
    # nor do the orders that are at work then know more: a peep shows in them a bar before its fill
    stopped = until(world, cut).state
    for name in ("quantity", "reserve", "reason"):
        np.testing.assert_array_equal(stopped.orders[name], past.state.orders[name])
    for name in ("quantity", "entry_price", "upper", "lower", "hold"):
        np.testing.assert_array_equal(stopped.positions[name], past.state.positions[name])


ZONES = ("America/New_York", "Asia/Kolkata", "Pacific/Chatham")


@examples
@given(shapes(), st.sampled_from(ZONES), st.integers(0, 1_000))
def test_17_time_zone_labels_change_nothing(shape, zone, seed):
    """The same instants, told with another zone's clock, are the same decisions and fills."""
    from touchstone.pipelines.scores import read_scores

    panel = market(shape)
    weight = np.random.default_rng(seed).uniform(0, 0.5, len(panel))
    table = pl.DataFrame(
        {
            "timestamp": panel.time,
            "symbol": [panel.symbols[i] for i in panel.asset_id],
            "score": weight,
        }
    ).with_columns(pl.from_epoch("timestamp", "ns").dt.replace_time_zone("UTC"))
    done = []
    for label in ("UTC", zone):
        with TemporaryDirectory() as folder:
            path = Path(folder) / "scores.parquet"
            table.with_columns(pl.col("timestamp").dt.convert_time_zone(label)).write_parquet(path)
            score = read_scores(path, panel, None, ())
        np.testing.assert_array_equal(score, weight)
        done.append(run(World(panel, Weighting(score))))
    same_bits(*done)


@examples
@given(st.data())
def test_18_a_reflected_market_gives_the_other_side_the_same(data):
    one, other = reflected(data)
    long, short = run(*one), run(*other)
    assert long.fills.row.size
    np.testing.assert_array_equal(long.fills.row, short.fills.row)
    np.testing.assert_array_equal(long.fills.quantity, short.fills.quantity)
    np.testing.assert_array_equal(long.fills.side, -short.fills.side)
    np.testing.assert_array_equal(long.fills.reason, short.fills.reason)
    cash = long.world.account.cash
    np.testing.assert_allclose(long.equity - cash, short.equity - cash, atol=1e-9 * cash)


@examples
@given(
    worlds(actions=(DIVIDEND,)), st.sampled_from([2.0, 3.0, 0.5]), st.sampled_from([0.4, 0.6, 0.8])
)
def test_19_a_split_is_the_same_in_raw_and_in_adjusted_data(world, ratio, when):
    """Everything before it in the new shares, and no split, is the same account."""
    times = world.panel.blocks().time
    assume(times.size > 2)
    when = int(when * times.size)
    world = world._replace(
        account=world.account.model_copy(update={"units": "fractional"}),
        costs=world.costs.model_copy(update=LINEAR),
    )
    symbol = world.panel.symbols[-1]
    own = world.panel.asset_id == world.panel.n_instruments - 1
    before, split = own & (world.panel.time < times[when]), int(times[when])
    unsplit = world._replace(
        panel=_in_shares(world.panel, before, ratio),
        happenings=tuple(
            h._replace(value=h.value * ratio) if h.symbol == symbol and h.time < split else h
            for h in world.happenings
        ),
    )
    if is_orders(world.decision):
        orders = tuple(
            o._replace(quantity=o.quantity / ratio, price=o.price * ratio) if before[o.row] else o
            for o in world.decision
        )
        unsplit = unsplit._replace(decision=orders)
    happened = (Happening(split, symbol, SPLIT, ratio), *unsplit.happenings)
    ordered = sorted(happened, key=lambda h: (h.time, h.symbol, h.kind))
    raw = run(unsplit._replace(happenings=tuple(ordered)))
    other = run(world)
    np.testing.assert_array_equal(raw.fills.row, other.fills.row)
    cents = 0.011 * raw.fills.row.size if world.costs.round_to_cents else 0.0
    np.testing.assert_allclose(
        raw.equity, other.equity, rtol=1e-9, atol=cents + 1e-9 * world.account.cash
    )


def _in_shares(panel: Panel, rows: np.ndarray, factor: float) -> Panel:
    prices = np.where(rows, factor, 1.0)
    columns = {n: getattr(panel, n) * prices for n in ("open", "high", "low", "close")}
    return replace(panel, volume=panel.volume / prices, **columns)


_DIGEST = """
import sys
sys.path.insert(0, "tests")
from execution.properties.test_same import digest
print(digest())
"""


def digest() -> str:
    """Of everything that some runs of every kind leave behind."""
    from execution.properties.fixed import fixed_worlds

    found = hashlib.sha256()
    for world in fixed_worlds():
        ran = run(world)
        for column in (*ran.path, *ran.fills, *ran.state):
            found.update(np.ascontiguousarray(column).tobytes())
    return found.hexdigest()


def test_28_every_hash_seed_and_thread_count_gives_the_same():
    said = set()
    for seed, threads in (("0", "1"), ("4242", "2")):
        changed = {
            "PYTHONHASHSEED": seed, "NUMBA_NUM_THREADS": threads, "OMP_NUM_THREADS": threads,
            "OPENBLAS_NUM_THREADS": threads,
            "PYTHONPATH": str(Path(touchstone.__file__).parents[1]),
        }  # fmt: skip
        ran = subprocess.run(
            [sys.executable, "-c", _DIGEST], cwd=ROOT, env={**os.environ, **changed},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        said.add(ran.stdout.strip())
    assert said == {digest()}


@examples
@given(worlds(kinds=("wishes",), actions=()))
def test_29_a_sweep_of_one_is_its_single_run(world):
    costs = world.costs.model_copy(update={"impact": 0.0})  # a run estimates its own sigma
    world = world._replace(half_spread=NONE, sigma=NONE, halted=NO_HALTS, costs=costs)
    alone = run(world)
    [swept] = sweep(world.panel, [world.decision], world.account, world.costs)
    assert swept.equity.tobytes() == alone.equity.tobytes()
    for one, other in zip(swept.fills, alone.fills, strict=True):
        np.testing.assert_array_equal(one, other)
