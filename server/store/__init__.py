"""The log in SQL: the only room that imports sqlalchemy. One noun a file; functions take a connection."""
