"""A picture of pixels: lines, areas and words with smooth edges, and the PNG of it."""

import struct
import zlib
from itertools import pairwise
from typing import Final, Literal

import numpy as np

from touchstone.arrays import Float64
from touchstone.reports.images.lettering import CHARACTERS, letters

Align = Literal["left", "middle", "right"]

PAPER: Final = "#fcfbf8"
INK: Final = "#1b1a18"
QUIET: Final = "#5d5a54"
OURS: Final = "#0072b2"
BEFORE: Final = "#6aa9d0"
BASE: Final = "#8f8b84"
BAND: Final = "#dedbd2"
GRID: Final = "#e6e3da"
"""As on the page in its light scheme."""

_PLACE: Final = {character: i for i, character in enumerate(CHARACTERS)}
_SAME: Final = str.maketrans({"\u202f": " ", "\u00a0": " ", "\u2019": "'", "\u2264": "<"})


class Canvas:
    """Pixels, (height, width, 3), counted from the upper left corner; y grows downwards."""

    def __init__(self, width: int, height: int) -> None:
        """Blank paper."""
        self.pixels: Float64 = np.tile(_rgb(PAPER), (height, width, 1))

    @property
    def width(self) -> int:
        """Pixels."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Pixels."""
        return int(self.pixels.shape[0])

    def line(self, x: Float64, y: Float64, colour: str, width: float = 2.0) -> None:
        """A line through points with round joints."""
        reach = width / 2 + 1
        left, right = _span(x, reach, self.width)
        top, bottom = _span(y, reach, self.height)
        cover = np.zeros((max(bottom - top, 0), max(right - left, 0)))
        for (a, b), (c, d) in pairwise(zip(x.tolist(), y.tolist(), strict=True)):
            x0, x1 = _span(np.array([a, c]), reach, self.width)
            y0, y1 = _span(np.array([b, d]), reach, self.height)
            if x0 >= x1 or y0 >= y1:
                continue
            at_x, at_y = np.arange(x0, x1) + 0.5 - a, np.arange(y0, y1)[:, None] + 0.5 - b
            along = (at_x * (c - a) + at_y * (d - b)) / max((c - a) ** 2 + (d - b) ** 2, 1e-12)
            along = np.clip(along, 0, 1)
            away = np.hypot(at_x - along * (c - a), at_y - along * (d - b))
            part = cover[y0 - top : y1 - top, x0 - left : x1 - left]
            np.maximum(part, np.clip(width / 2 + 0.5 - away, 0, 1), out=part)
        self._blend(cover, colour, (top, left))

    def area(self, x: Float64, low: Float64, high: Float64, colour: str) -> None:
        """The area between two lines over the same places, rising in x; y of `high` is above."""
        left, right = _span(x, 0.0, self.width)
        first, last = _span(np.r_[low, high], 0.0, self.height)
        middle = np.arange(left, right) + 0.5
        top, bottom = np.interp(middle, x, high), np.interp(middle, x, low)
        row = np.arange(first, last)[:, None]
        cover = np.clip(np.minimum(row + 1, bottom) - np.maximum(row, top), 0, 1)
        self._blend(cover, colour, (first, left))

    def box(self, x: tuple[float, float], y: tuple[float, float], colour: str) -> None:
        """A rectangle."""
        ends = np.array([min(x), max(x)])
        self.area(ends, np.full(2, max(y)), np.full(2, min(y)), colour)

    def dot(self, x: float, y: float, colour: str, size: float = 10.0) -> None:
        """A round mark."""
        self.line(np.array([x, x]), np.array([y, y]), colour, size)

    def word(
        self, at: tuple[float, float], text: str, colour: str = QUIET, align: Align = "left",
        bold: bool = False,
    ) -> None:  # fmt: skip
        """Words on a baseline at `at`; what has no letter is left out."""
        font, x = letters(bold), at[0]
        x -= {"left": 0.0, "middle": 0.5, "right": 1.0}[align] * text_width(text, bold)
        for k in _letters_of(text):
            begin, end = int(font.first[k]), int(font.first[k + 1])
            left, top = round(x) - 1, round(at[1]) - font.size
            glyph = font.coverage[max(-top, 0) :, begin + max(-left, 0) : end]
            room = max(self.height - max(top, 0), 0), max(self.width - max(left, 0), 0)
            self._blend(glyph[: room[0], : room[1]], colour, (max(top, 0), max(left, 0)))
            x += float(font.advance[k])

    def png(self) -> bytes:
        """The picture as a PNG file, 8 bits a colour."""
        height, width, _ = self.pixels.shape
        lines = np.zeros((height, 1 + 3 * width), np.uint8)  # each begins with its filter: none
        lines[:, 1:] = np.round(self.pixels).astype(np.uint8).reshape(height, -1)
        head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
        parts = ((b"IHDR", head), (b"IDAT", zlib.compress(lines.tobytes(), 6)), (b"IEND", b""))
        return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, body) for kind, body in parts)

    def _blend(self, cover: Float64, colour: str, corner: tuple[int, int]) -> None:
        top, left = corner
        part = self.pixels[top : top + cover.shape[0], left : left + cover.shape[1]]
        part += cover[:, :, None] * (_rgb(colour) - part)


def text_width(text: str, bold: bool = False) -> float:
    """Pixels that words take."""
    return float(sum(letters(bold).advance[k] for k in _letters_of(text)))


def mixed(colour: str, share: float, other: str = PAPER) -> str:
    """A colour with so much of another in it that `share` of the first is left."""
    value = share * _rgb(colour) + (1 - share) * _rgb(other)
    return "#" + "".join(f"{round(v):02x}" for v in value.tolist())


def _letters_of(text: str) -> list[int]:
    return [_PLACE[c] for c in text.translate(_SAME) if c in _PLACE]


def _rgb(colour: str) -> Float64:
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], np.float64)


def _span(values: Float64, reach: float, size: int) -> tuple[int, int]:
    """Whole pixels that hold the values and so much around them, inside the picture."""
    low, high = float(values.min()) - reach, float(values.max()) + reach
    return max(int(np.floor(low)), 0), min(int(np.ceil(high)), size)


def _chunk(kind: bytes, body: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(kind + body))
    return struct.pack(">I", len(body)) + kind + body + check
