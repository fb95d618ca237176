"""Power: how often the whole pipeline finds an edge whose true worth is known.

A pilot looks for the strength of a planted edge at which the chosen candidate's true Sharpe is the
wanted one; then many markets of that strength are judged, and each chosen candidate's own truth is
measured on fresh years of its market. Two decoys, whose edge dies, stand beside the curve.
"""

from collections.abc import Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Annotated, Final, Literal, NamedTuple

from pydantic import Field

from touchstone.config import Config
from touchstone.files import parse_yaml, write_text
from touchstone.pipelines.calibrate import MASTER_SEED
from touchstone.pipelines.judged import judge_panel, rule_of, winner
from touchstone.pipelines.many import Done, Journal, Work, many
from touchstone.pipelines.oracle import oracle_odds, oracle_rule, true_earnings
from touchstone.pipelines.progress import Progress
from touchstone.pipelines.study import Study, packaged_text, parse_study
from touchstone.pipelines.workspace import Workspace
from touchstone.reports.power import Decoy, PowerResult, decoy_result, page, point_result
from touchstone.seeding import derive, generator
from touchstone.simulation import MarketConfig, simulate
from touchstone.simulation.oracles.odds import Odds
from touchstone.validation.power import Trial, point, strengths

Stage = Literal["pilot", "curve", "dies at the seal", "dies before the tests"]
DIES: Final[dict[Stage, str]] = {"dies at the seal": "80%", "dies before the tests": "20%"}
"""Decoys, and when their edge ends: the study seals the last fifth, and its tests of candidates
begin after 21 % of the time."""

_MARKET: Final = {
    "n_instruments": 20, "n_bars": 8766, "timeframe": "4h", "volatility": 0.016,
    "correlation": 0.1, "ic": 0.0,
    # Volume tells the signal plainly: what is measured is learning and judging, not filtering.
    "volume_noise": 0.1, "volume_elasticity": 0.0, "volume_intraday": 0.0,
}  # fmt: skip


class PowerConfig(Config):
    """Which markets: four years of bars of four hours, round the clock, a signal in the volume."""

    market: MarketConfig = Field(default_factory=lambda: MarketConfig.parse(_MARKET))
    """Its `ic` is replaced by the strengths that are tried."""
    strengths: tuple[float, ...] = (0.03, 0.05, 0.07, 0.09, 0.11, 0.14)
    """Of the pilot."""
    pilot: Annotated[int, Field(ge=1)] = 8
    """Markets a strength of the pilot."""
    years: Annotated[float, Field(gt=0)] = 20.0
    """Fresh years by which the truth is measured."""
    seed: int = MASTER_SEED
    """Every market's own seed follows from it."""


class Ask(NamedTuple):
    """One market to be judged."""

    stage: Stage
    ic: float
    number: int


def power_study() -> Study:
    """Fifty candidates, default costs, a fifth of the time sealed."""
    return parse_study(parse_yaml(packaged_text("power"), "power"), Path(), "power")


def judge_known(config: PowerConfig, ask: Ask) -> Trial:
    """Make one market with a known edge, run the whole study on it, and measure its truth.

    The truth of a decoy is known without measuring: after its edge died there is none.
    """
    # A pilot's markets differ by their strength alone, so that the curve through them is smooth.
    apart = () if ask.stage == "pilot" else (repr(ask.ic),)
    seed = derive(config.seed, "power", ask.stage, *apart, ask.number)
    market = config.market.model_copy(update={"ic": ask.ic, "edge_until": DIES.get(ask.stage)})
    study = power_study()
    panel, _ = simulate(market, seed)
    judged = judge_panel(study, panel, generator(seed, "power", "verdict"), winner)
    verdict, chosen, sealed = judged.verdict, judged.chosen, judged.sealed
    sharpe = net = oracle = None
    if chosen is not None and sealed is not None and ask.stage not in DIES:
        terms = (study.config.account, study.config.costs)
        rule = rule_of(study, chosen, sealed)
        own = true_earnings(rule, market, seed, terms, config.years)
        odds = _odds(market.canonical(), derive(config.seed, "power", "odds"))
        knows = oracle_rule(odds, study.config.label, chosen.strategy, study.config.costs)
        best = true_earnings(knows, market, seed, terms, config.years)
        sharpe, net, oracle = own.sharpe, own.net_return, best.net_return
    deflated = None if verdict.deflated is None else verdict.deflated.value
    return Trial(
        ask.ic, ask.number, verdict.word, verdict.primary_p, deflated, judged.n_trades,
        judged.before.shape[1], sharpe, net, oracle,
    )  # fmt: skip


@lru_cache(maxsize=8)
def _odds(market: str, seed: int) -> Odds:
    """The truth's odds of a market, once a process; by its canonical text, which can be hashed."""
    label = power_study().config.label
    return oracle_odds(label, MarketConfig.model_validate_json(market), seed)


class Wish(NamedTuple):
    """What a user asks of a power curve."""

    config: PowerConfig
    targets: tuple[tuple[float, int], ...]
    """(true annual net Sharpe, markets), rising."""
    decoys: int
    """Markets of each decoy, with the edge of the last target."""
    root: Path
    """The workspace: its journal is resumed, the outcome is written to `power/`."""
    jobs: int
    command: str
    """As typed, for the page."""


class Found(NamedTuple):
    """The outcome, and where it was written."""

    result: PowerResult
    folder: Path


def power(wish: Wish, progress: Progress) -> Found:
    """Run pilot, curve and decoys, or what of them the journal lacks; write result and page.

    Raises:
        DataError: a target that the pilot does not reach, or a journal that is none.
    """
    config = wish.config
    asked = partial(_asked, config, Workspace(wish.root).power, wish.jobs, progress)
    pilot = asked(
        "pilot", [Ask("pilot", ic, n) for n in range(config.pilot) for ic in config.strengths]
    )
    tried = [done.found for done in pilot]
    found = strengths([target for target, _ in wish.targets], tried)
    points, seconds = [], []
    for (target, n), ic in zip(wish.targets, found, strict=True):
        done = asked(f"Sharpe {target:g}", [Ask("curve", ic, k) for k in range(n)])
        trials = [d.found for d in done]
        points.append(point_result(point(target, ic, trials), trials))
        seconds += [d.seconds for d in done]
    decoys: list[Decoy] = []
    for stage in DIES if wish.decoys else ():
        done = asked(stage, [Ask(stage, found[-1], k) for k in range(wish.decoys)])
        decoys.append(decoy_result(stage, DIES[stage], [d.found for d in done]))
    market = config.market
    result = PowerResult(
        seed=config.seed,
        n_instruments=market.n_instruments,
        n_bars=market.n_bars,
        timeframe=market.timeframe,
        years_fresh=config.years,
        n_candidates=max((t.n_candidates for t in tried), default=0),
        n_pilot=len(tried),
        points=tuple(points),
        decoys=tuple(decoys),
        seconds=sum(seconds) / len(seconds) if seconds else None,
    )
    folder = wish.root / "power"
    write_text(folder / "result.json", result.model_dump_json(indent=1) + "\n")
    write_text(folder / "report.html", page(result, wish.command))
    return Found(result, folder)


def _asked(
    config: PowerConfig, path: Path, jobs: int, progress: Progress, name: str, todo: Sequence[Ask]
) -> tuple[Done[Trial], ...]:
    study = power_study()
    of = f"{config.model_copy(update={'pilot': 1}).fingerprint()} {study.fingerprint} "
    journal = Journal(path, of + study.source, Ask, Trial)
    return many(name, todo, journal, Work(partial(judge_known, config), jobs, progress))
