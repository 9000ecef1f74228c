"""What people see of a preview: in a terminal, a notebook, a folder of files, a page to forward.

The modules; each works from a finished preview, computes no grouping and sends nothing anywhere::

    words     text made visible, counts, and the sentences that all the others share
    tables    Rich tables for a terminal
    charts    pictures (PNG) with the words that say the same
    summary   one HTML page to forward, without names of people
    fix       corrections to make in the identity provider: fix.csv and how to try it out
    files     one writer for each file format, and write_preview(): the whole folder
    notebook  what notebooks show
    runs      the ledger's runs as table and timeline; runs_people who moved between two of them

Values of an export are data everywhere: never markup, never a formula, never a terminal's command.
Nothing is imported here, so that a command which needs only a table does not load what draws pictures.
"""
