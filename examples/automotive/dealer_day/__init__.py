"""A day at a car dealer, played through the Sayso SDK. `../demo.py` starts it."""
