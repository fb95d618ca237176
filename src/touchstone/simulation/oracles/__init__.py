"""What a market's truth is worth: optimal policies and calibrated odds, by numbers alone. Pure."""
