"""Experiments on real data. Each file runs as printed: ``python -m experiments.mnist_addition --help``."""
