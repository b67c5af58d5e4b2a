"""Benchmarks against other systems, as ratios measured in one run. Peers come with the extra ``[bench]``."""
