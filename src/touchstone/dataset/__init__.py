"""From columns to samples: splits, scalers, windows gathered as they are asked for, weights."""
