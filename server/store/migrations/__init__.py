"""How the schema came to be, one file a revision, numbered: versions/r0001_….py. Never changed once released.

A new revision: write the file by hand, set HEAD in server/store/migrate.py, change server/store/tables.py. Tests hold
the three together.
"""
