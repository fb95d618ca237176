"""Figures as PNG: a picture that other programs read, with the marks where the numbers are."""

import struct
import zlib

import numpy as np
import pytest

from reports.test_study_page import PAGES
from touchstone.reports.images import canvas as c
from touchstone.reports.images.drawn import images
from touchstone.reports.images.lettering import CHARACTERS, letters


def read(png):
    """Width, height and pixels of an 8-bit RGB PNG without filters, checks verified."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    at, parts = 8, {}
    while at < len(png):
        (size,), kind = struct.unpack(">I", png[at : at + 4]), png[at + 4 : at + 8]
        body = png[at + 8 : at + 8 + size]
        (check,) = struct.unpack(">I", png[at + 8 + size : at + 12 + size])
        assert zlib.crc32(kind + body) == check
        parts[kind], at = body, at + 12 + size
    width, height, *rest = struct.unpack(">IIBBBBB", parts[b"IHDR"])
    assert rest == [8, 2, 0, 0, 0]
    lines = np.frombuffer(zlib.decompress(parts[b"IDAT"]), np.uint8).reshape(height, -1)
    assert not lines[:, 0].any()
    return lines[:, 1:].reshape(height, width, 3)


def near(pixels, colour):
    wanted = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return (np.abs(pixels.astype(int) - wanted) <= 1).all(axis=2)


def test_boxes_lines_and_areas_lie_where_they_are_put():
    canvas = c.Canvas(60, 40)
    canvas.box((10, 20), (5, 15), c.OURS)
    canvas.line(np.array([30.0, 30.0]), np.array([5.0, 35.0]), c.INK, 4.0)
    canvas.area(np.array([40.0, 50.0]), np.array([30.0, 30.0]), np.array([30.0, 10.0]), c.BASE)
    pixels = read(canvas.png())
    rows, columns = np.nonzero(near(pixels, c.OURS))
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (5, 14, 10, 19)
    assert rows.size == 100
    ink = near(pixels, c.INK)
    assert ink[20].nonzero()[0].tolist() == [28, 29, 30, 31]
    assert near(pixels, c.BASE).sum() == pytest.approx(100, abs=12)  # the triangle's area
    assert near(pixels, c.PAPER)[0].all()


def test_what_reaches_beyond_the_picture_is_cut():
    canvas = c.Canvas(20, 10)
    canvas.line(np.array([-50.0, 70.0]), np.array([5.0, 5.0]), c.INK, 2.0)
    canvas.line(np.array([100.0, 120.0]), np.array([5.0, 5.0]), c.INK, 2.0)
    canvas.word((-10, 8), "cut off at every side", c.INK)
    canvas.word((15, 30), "below", c.INK)
    assert near(read(canvas.png()), c.INK)[4:6].all()


def test_words_have_the_width_of_their_letters_and_no_unknown_ones():
    assert c.text_width("0000") == pytest.approx(4 * c.text_width("0"))
    assert c.text_width("1\u202f000") == c.text_width("1 000")
    assert c.text_width("漢") == 0
    canvas = c.Canvas(200, 60)
    canvas.word((100, 40), "H", c.INK, "middle")
    _, columns = np.nonzero(near(read(canvas.png()), c.INK))
    assert columns.mean() == pytest.approx(100, abs=2)
    for bold in (False, True):
        font = letters(bold)
        assert font.first.size == len(CHARACTERS) + 1
        assert font.first[-1] <= font.coverage.shape[1] <= font.first[-1] + 1
        ink = [
            font.coverage[:, a:b].sum() for a, b in zip(font.first, font.first[1:], strict=False)
        ]
        assert ink[0] == 0
        assert min(ink[1:]) > 1


def test_every_figure_of_a_result_is_drawn_and_equal_results_give_equal_bytes():
    market = PAGES["pair"]().market
    found = images(market.walk_forward, market.sealed)
    assert set(found) == {"equity", "costs", "months", "capacity", "instruments"}
    for name, png in found.items():
        pixels = read(png)
        assert pixels.shape[1] == 1600
        assert near(pixels, c.mixed(c.OURS, 0.75, "#f3f1eb") if name == "months" else c.OURS).any()
        assert near(pixels, c.INK).sum() > 200


def test_results_without_trades_or_analysis_draw_what_they_have():
    for name in ("bare", "one day"):
        market = PAGES[name]().market
        for png in images(market.walk_forward, market.sealed).values():
            read(png)
    assert images(None, None) == {}
    sealed = PAGES["pair"]().market.sealed.model_copy(update={"analysis": None})
    found = images(None, sealed)
    assert set(found) == {"equity", "costs"}
    assert found == images(None, sealed)
