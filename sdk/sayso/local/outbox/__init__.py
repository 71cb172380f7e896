"""What could not be sent yet: kept on disk, in order, until the server has it."""
