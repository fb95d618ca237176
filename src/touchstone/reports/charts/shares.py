"""Parts of a whole as one bar: where the money went."""

from collections.abc import Sequence

from markupsafe import Markup

from touchstone.reports.charts import frame
from touchstone.reports.figures import percent


def shares(parts: Sequence[tuple[str, float]]) -> Markup:
    """(name, amount), largest first -> one bar, named inside where there is room, and below."""
    total = sum(amount for _, amount in parts) or 1.0
    shapes, words, items, at = [], [], [], 0.0
    for i, (name, amount) in enumerate(parts):
        share = amount / total
        shapes.append(frame.box((at, at + share), (0, 1), f"share s{i % 4}", name))
        if share > 0.22:
            words.append(frame.word(at, 0.5, f"{name} {percent(share)}", f"inside s{i % 4}"))
        items.append(
            Markup('<li><i class="s{}"></i>{} {}</li>').format(i % 4, name, percent(share))
        )
        at += share
    area = Markup('<div class="area" style="height:44px">{}{}</div>').format(
        frame.svg(shapes), frame.join(words)
    )
    return Markup('<div class="shares">{}<ul class="parts">{}</ul></div>').format(
        area, frame.join(items)
    )
