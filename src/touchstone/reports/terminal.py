"""The last lines that a study prints: the verdict in words, the figure, and what to read it by."""

from touchstone.reports.figures import p_value, plain_number, plural, sentence
from touchstone.reports.findings import net_figure, stranded_text
from touchstone.reports.result import ClassicLabel, MarketResult, StudyResult


def summary_lines(result: StudyResult) -> list[str]:
    """The verdict of each market as plain text, no colour, a handful of lines.

    Warnings that change how the word is to be read (looked at before, survivorship) stand first.
    """
    lines = _warnings(result.market)
    for market in (result.market, result.null_twin):
        if market is not None:
            lines += _market(market)
    if result.market.classic is not None:
        lines += _classic(result.market.classic)
    if result.market.verdict.cannot_prove:
        lines.append(result.market.verdict.cannot_prove)
    return lines


def _classic(classic: ClassicLabel) -> list[str]:
    """Test figures of the classic label, ours and the predecessor's, as a small table."""
    names = ("base_rate", "precision", "recall", "f1", "roc_auc", "pr_auc")
    head = f"  {'':<20}" + "".join(f"{name.replace('_', ' '):>11}" for name in names)
    rows = [(f.name, f) for f in classic.ours]
    rows += [(f"{f.name} (predecessor)", f) for f in classic.predecessor]
    table = [
        f"  {name:<20}" + "".join(f"{_figure(getattr(found, measure)):>11}" for measure in names)
        for name, found in rows
    ]
    return [f"Label {classic.label}, test rows before the seal:", head, *table, f"  {classic.note}"]


def _figure(value: float | None) -> str:
    return "not known" if value is None else f"{value:.3f}"


def _warnings(market: MarketResult) -> list[str]:
    found = []
    if market.ledger.exploratory:
        n = market.ledger.n_looks_studies
        found.append(f"Warning: {n} studies have looked at these sealed rows; use fresh data.")
    if market.data.survivorship:
        found.append(f"Warning: survivorship: {market.data.survivorship}")
    stranded = stranded_text(market.sealed)
    if stranded:
        found.append(f"Warning: {stranded}")
    return found


def _market(market: MarketResult) -> list[str]:
    verdict = market.verdict
    lines = [f"{sentence(market.title)}: {verdict.word}. {verdict.sentence}"]
    sealed = market.sealed
    if sealed is not None and sealed.n_trades:
        net = net_figure(sealed)
        days = plural(verdict.sealed_days, "sealed day")
        told = f"  Net of costs {net.size} " + (
            f"a year over {days}" if net.yearly else f"on {days}"
        )
        told += f" (95 % interval {net.interval})" if net.known else ""
        told += f"; Sharpe {plain_number(sealed.sharpe)}, p = {p_value(verdict.primary_p)}, "
        lines.append(told + f"{plural(verdict.n_trades, 'trade')}.")
    return lines
