"""The pieces that panels are made of.

::

    worker     does a panel's work on one thread, one thing after the other
    markup     HTML in which text stays text
    upload     takes files in pieces and puts them on disk
    drop_zone  where a person drops or chooses a file
    screen     shows what is about people, without ever keeping it in the notebook
    facts      what an export offers to choose from
    choices    what a person chose, to and from a setting
    session    the export, the choices, the preview they give, undo: no widget
    parts      small widgets
    form       the controls for the choices
    numbers    the top of a panel as markup: four numbers, first advice, where all rows go
    listing    tables with pages, as markup
    views      groups, reasons, findings, people, steps, changes, as markup
    results    the part of a panel that shows one of these views
    board      the whole panel

Two widgets are our own (anywidget), because of one rule: *what is a setting may be a trait, what is a person is a
message*. Traits are the widget's state, which JupyterLab saves into the notebook; messages are not.
"""
