"""The sample product: a ledger of entries, as a JSON API on PostgreSQL."""
