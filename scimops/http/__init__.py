"""HTTP to the other end, for the management API and for SCIM alike.

The rooms: `exchange` one request and its answer, `answers` plain data of it, `faults` what can go wrong, `told` how
errors leave the house, `retries` and `waits` when to ask again, `address` URLs for people.
"""
