"""How the client talks to the server: one session per event loop, tokens, retries and what failures mean."""
