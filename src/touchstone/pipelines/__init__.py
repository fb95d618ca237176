"""Recipes, one verb per file: where the pure rooms and the edges meet."""
