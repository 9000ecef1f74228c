"""Benchmarks that people can run: scimops beside programs that a good engineer would write by hand.

`make bench` runs :mod:`bench.preview`. Every program is a process of its own, all of them give the same answer for
every single row, and the figures are medians of interleaved runs.
"""
