"""ProbLog's engine: what the tabled engine does not speak."""
