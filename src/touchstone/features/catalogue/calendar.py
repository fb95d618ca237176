"""Calendar: where in its day, week, month and year a bar begins, and the hours of the market."""

from typing import Final

from touchstone.features.catalogue import Entry

_ARIEL = "Ariel (1987), A Monthly Effect in Stock Returns, Journal of Financial Economics 18:161"
_LAKONISHOK = (
    "Lakonishok & Smidt (1988), Are Seasonal Anomalies Real?, Review of Financial Studies 1:403"
)
_HOLIDAY = "Ariel (1990), High Stock Returns Before Holidays, Journal of Finance 45:1611"
_INTRADAY = (
    "Harris (1986), A Transaction Data Study of Weekly and Intradaily Patterns, Journal of"
    " Financial Economics 16:99"
)
_FRENCH = "French (1980), Stock Returns and the Weekend Effect, Journal of Financial Economics 8:55"
_YEAR = "pi * (month - 1 + (day - 1) / 31) / 6"
_WAVE = "-1 .. 1"

ENTRIES: Final = {
    "day_sin": Entry("sin(pi * hour / 12)", "Time of day (UTC), as a sine.", _WAVE, "-"),
    "day_cos": Entry("cos(pi * hour / 12)", "Time of day (UTC), as a cosine.", _WAVE, "-"),
    "week_sin": Entry(
        "sin(pi * (24 * weekday + hour) / 84)", "Time of week (UTC), as a sine.", _WAVE, "-"
    ),
    "week_cos": Entry(
        "cos(pi * (24 * weekday + hour) / 84)", "Time of week (UTC), as a cosine.", _WAVE, "-"
    ),
    "month_sin": Entry(
        "sin(2 * pi * (day - 1) / 31)", "Day of the month, as a sine.", _WAVE, _ARIEL
    ),
    "month_cos": Entry(
        "cos(2 * pi * (day - 1) / 31)", "Day of the month, as a cosine.", _WAVE, _ARIEL
    ),
    "year_sin": Entry(f"sin({_YEAR})", "Time of year, as a sine.", _WAVE, _LAKONISHOK),
    "year_cos": Entry(f"cos({_YEAR})", "Time of year, as a cosine.", _WAVE, _LAKONISHOK),
    "hour_of_day": Entry("hour", "Hours since 00:00 UTC at the bar's start.", "hours", _INTRADAY),
    "day_of_week": Entry(
        "weekday", "Day of the week (UTC) of the bar's start, Monday 0.", "0 .. 6", _FRENCH
    ),
    "day_of_month": Entry("day", "Day of the month of the trading day.", "1 .. 31", _ARIEL),
    "month_of_year": Entry("month", "Month of the trading day.", "1 .. 12", _LAKONISHOK),
    "weekend": Entry(
        "weekday > 4", "Whether the bar begins on a Saturday or Sunday (UTC).", "0 or 1", _FRENCH
    ),
    "part_of_session": Entry(
        "session_share", "Part of the trading day gone at the bar's start.", "0 .. 1", _INTRADAY
    ),
    "first_of_day": Entry(
        "first_of_session()",
        "Whether the bar is the first of its trading day.",
        "0 or 1",
        _INTRADAY,
    ),
    "trading_days_of_month": Entry(
        "month_passed", "Trading days of the month before this one.", "days", _ARIEL
    ),
    "trading_days_left": Entry(
        "month_left",
        "Trading days of the month after this one, as announced beforehand.",
        "days",
        _ARIEL,
    ),
    "turn_of_month": Entry(
        "max(month_left == 0, month_passed < 3)",
        "Whether it is the month's last trading day or one of its first three.",
        "0 or 1",
        _LAKONISHOK,
    ),
    "quarter_end": Entry(
        "(month_left < 3) * max(max(month == 3, month == 6), max(month == 9, month == 12))",
        "Whether it is one of the last three trading days of a quarter.",
        "0 or 1",
        "Carhart, Kaniel, Musto & Reed (2002), Leaning for the Tape, Journal of Finance 57:661",
    ),
    "january": Entry(
        "month == 1",
        "Whether it is January.",
        "0 or 1",
        "Rozeff & Kinney (1976), Capital Market Seasonality, Journal of Financial Economics 3:379",
    ),
    "days_since_session": Entry(
        "from_session", "Days since the trading day before: 1, 3 after a weekend.", "days", _FRENCH
    ),
    "days_to_session": Entry(
        "to_session", "Days to the next trading day, as announced beforehand.", "days", _HOLIDAY
    ),
    "days_to_holiday": Entry(
        "to_holiday",
        "Days to the next weekday without trading, as announced beforehand; 60 where none is near.",
        "1 .. 60",
        _HOLIDAY,
    ),
    "before_holiday": Entry(
        "max(to_session == 2, to_session > 3)",
        "Whether a holiday follows: the next trading day is neither tomorrow nor in three days.",
        "0 or 1",
        _HOLIDAY,
    ),
    "after_holiday": Entry(
        "max(from_session == 2, from_session > 3)",
        "Whether a holiday came before: the last trading day is neither 1 nor 3 days ago.",
        "0 or 1",
        _HOLIDAY,
    ),
}
