"""Pieces that several networks are made of, each written once."""
