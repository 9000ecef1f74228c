"""Benchmarks that people can run: scimops beside programs that a good engineer would write by hand.

`make bench` runs :mod:`bench.preview`, whose programs give the same answer for every single row, and
:mod:`bench.service_provider`, :mod:`bench.first_cycle` and :mod:`bench.ledger`. Every program and server is a process
of its own, and the figures are medians of interleaved runs.
"""
