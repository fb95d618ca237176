"""What `result.json` tells of the search on surrogate markets."""

from touchstone.reports.contents import Contents, Count, Probability, Ratio


class SurrogateSearch(Contents):
    """The whole search again, on markets without an edge made of the study's own bars."""

    p: Probability
    """Chance of so high a score where nothing is to be found: the sequential rule of Besag and
    Clifford over the surrogates in the order of their numbers."""
    budget: Count
    """Surrogate markets that the study asked for."""
    n_searched: Count
    """Those that count; fewer than the budget where three as good had been seen."""
    n_exceedances: Count
    """Those on which the search scored at least as high."""
    score: Ratio
    """Of the study's own search: studentised mean daily net return of the chosen candidate on the
    pooled tests before the seal; 0 where none was chosen."""
    scores: tuple[Ratio, ...] = ()
    """Of the surrogates' searches, in the order of their numbers."""
    n_instruments: Count = 0
    """Instruments with a volatility path before the seal."""
    n_garch: Count | None = None
    """Those of them whose path is a fitted GARCH(1,1)'s; the others' is an exponential mean. Null
    where no surrogate was made."""
