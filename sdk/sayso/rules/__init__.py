"""What follows from the model: pure functions without clock, network or storage."""
