"""Every log in one vocabulary (schema `events`): the identity providers' own, the platform's, ours.

The rooms: `read` files and `live` what the platform shows, `reading` records to events in Parquet, `events` the
vocabulary, `keys` whom a line names, `documents` JSON and `tables` CSV in bounded memory (`pieces` of a file, the files
of a `download` joined), `problems` what a log lacks; one module for each log: `entra`, `okta`, `platform`,
`provisioning_log`, `receipts`.
"""
