"""Location made coarse on a fixed grid.

The answer is the centre of the cell that holds the true place. Nothing is random, so asking again adds
nothing: any number of samples from within one cell average to its centre. Noise would average
out to the person.

What a grid can't hide: someone who lives on a border between cells is seen in both, which tells that they are
near that border. A brand that samples continuously should keep the first answer while the person stays put.
"""

import math
from typing import NamedTuple

from sayso.model.choice import Precision

MAX_LATITUDE = 90.0
MAX_LONGITUDE = 180.0


class Coordinates(NamedTuple):
    """A place in degrees, WGS 84: latitude -90 to 90, longitude -180 to 180."""

    latitude: float
    longitude: float


class _Grid(NamedTuple):
    rings: int  # from pole to pole, 20,004 km
    decimals: int  # finer digits than the cell would only pretend


_GRIDS = {
    Precision.APPROXIMATE: _Grid(rings=10_000, decimals=4),  # cells of 2.0 km
    Precision.CITY: _Grid(rings=1_000, decimals=3),  # cells of 20 km
}


def coarsen(latitude: float, longitude: float, precision: Precision | str) -> Coordinates | None:
    """Make a location as coarse as the consumer chose.

    Args:
        latitude: Degrees, -90 to 90.
        longitude: Degrees, -180 to 180; both ends are the same meridian.
        precision: `precise` gives the place back, `approximate` the centre of its cell of about 2 km, `city`
            of about 20 km, `off` nothing.

    Returns:
        The same point for every place in a cell, and for that point itself. None for `off`, wherever it is.

    Raises:
        ValueError: `latitude` or `longitude` is no number in its range, or `precision` is none of the four.
            The message names the argument and never the place.
    """
    try:
        precision = Precision(precision)
    except ValueError:
        raise ValueError(f"precision: expected one of {', '.join(Precision)}") from None
    if precision is Precision.OFF:
        return None
    _check("latitude", latitude, MAX_LATITUDE)
    _check("longitude", longitude, MAX_LONGITUDE)
    if precision is Precision.PRECISE:
        return Coordinates(float(latitude), float(longitude))
    return _centre(_GRIDS[precision], latitude, longitude)


def _check(member: str, value: object, limit: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= limit:
        raise ValueError(f"{member}: expected degrees from {-limit:g} to {limit:g}")


def _centre(grid: _Grid, latitude: float, longitude: float) -> Coordinates:
    if abs(latitude) == MAX_LATITUDE:
        longitude = 0.0  # every meridian meets at a pole: one place, one answer
    height = 2 * MAX_LATITUDE / grid.rings
    ring = min(math.floor((latitude + MAX_LATITUDE) / height), grid.rings - 1)
    middle = (ring + 0.5) * height - MAX_LATITUDE

    # Meridians draw together towards the poles: a ring has as many cells as are about as wide as high.
    cells = max(1, round(2 * grid.rings * math.cos(math.radians(middle))))
    width = 2 * MAX_LONGITUDE / cells
    cell = math.floor((longitude + MAX_LONGITUDE) / width) % cells  # 180° is where -180° is
    centre = (cell + 0.5) * width - MAX_LONGITUDE

    return Coordinates(round(middle, grid.decimals) + 0.0, round(centre, grid.decimals) + 0.0)  # no -0.0
