"""Every log in one vocabulary (schema `events`): the identity providers' own, the platform's, ours.

The rooms: `read` files to events in Parquet, `events` the vocabulary, `keys` whom a line names, `documents` JSON in
bounded memory, `problems` what a log lacks; one module for each log.
"""
