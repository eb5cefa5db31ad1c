"""How a database of records comes from one version to the next; Alembic reads ``versions``."""
