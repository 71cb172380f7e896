"""What a brand uses: the client, the consumer's handle, snapshots and the blocking facade."""
