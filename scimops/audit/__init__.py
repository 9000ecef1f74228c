"""The audit: did every employee arrive, and why not; from both sides, the enrolments and the logs.

The rooms: `state` what the platform holds with its enrolments, `people` who is meant and who is whom, `links` and
`coverage` the chain person by person, `reconcile` both sides person by person, `logs` every log in one vocabulary,
`told` what they tell of somebody, `why` the cause, `causes` the closed lists of words, `frames` the schemas.
"""
