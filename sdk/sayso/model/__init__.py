"""What things are: frozen data without I/O."""
