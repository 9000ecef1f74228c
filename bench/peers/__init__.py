"""Hand-written programs that work out the same as a preview, one a library, each as its users would write it.

`python -m bench.peers.polars EXPORT RESULT` reads Entra's "Download users" and writes `row`, `userName`, `reason`,
`group_key` of every row; the counts of the reasons and the sizes of the groups go to standard output as JSON. None of
them checks the file, looks for findings or explains anything.
"""
