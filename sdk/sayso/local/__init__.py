"""What the client keeps on this machine: the cache, the change stream that keeps it true, and the outbox."""
