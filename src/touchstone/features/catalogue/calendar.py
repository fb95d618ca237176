"""Calendar: where in its day and week a bar begins."""

from typing import Final

from touchstone.features.catalogue import Entry

ENTRIES: Final = {
    "day_sin": Entry("sin(pi * hour / 12)", "Time of day (UTC), as a sine.", "-1 .. 1", "-"),
    "day_cos": Entry("cos(pi * hour / 12)", "Time of day (UTC), as a cosine.", "-1 .. 1", "-"),
    "week_sin": Entry(
        "sin(pi * (24 * weekday + hour) / 84)", "Time of week (UTC), as a sine.", "-1 .. 1", "-"
    ),
    "week_cos": Entry(
        "cos(pi * (24 * weekday + hour) / 84)", "Time of week (UTC), as a cosine.", "-1 .. 1", "-"
    ),
}
