"""Pages that the server itself shows."""
