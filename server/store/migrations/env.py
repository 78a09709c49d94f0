"""Alembic's entrance: runs inside the transaction that server/store/migrate.py hands over. There is no ini file."""

from alembic import context

from server.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
