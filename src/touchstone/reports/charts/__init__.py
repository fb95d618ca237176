"""Charts as inline SVG that follows the reader's colours and width; one file per kind of chart.

Shapes live in an SVG that stretches to its box (strokes keep their width); words are HTML laid over
it, so they keep their size on a phone and on a wall. Nothing here needs a script.
"""
