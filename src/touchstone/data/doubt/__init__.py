"""What the checks of bars measure by: cohorts, robust scales, alignments, chances. Pure."""
