"""Where everything recorded is kept: `base` says what a database must do, `memory` and `sqlite` do it."""
