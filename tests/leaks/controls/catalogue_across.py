"""The catalogue's groups that look across instruments, at calendars, and at longer bars."""

LAYER = None
STUDY = {
    "features": {
        "groups": ["cross_section", "calendar"],
        "extra": {
            "slow": 'higher("4h", close / ema(close, 3) - 1)',
            "daily": 'higher("1d", cross_rank(close / lag(close, 1)))',
        },
    }
}
