"""HTTP in, HTTP out: a route reads a command, calls one service and answers."""
