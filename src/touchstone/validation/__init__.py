"""Is the edge real? Tests, corrections for the search, the verdict, and the ledger of all trials.

Touches one file, the trial ledger; everything else is arrays in, numbers out.
"""
