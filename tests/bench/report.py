"""Figures: printed as a table, drawn as a chart and kept as JSON under build/bench."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

OUT = Path(__file__).parents[2] / "build/bench"


@dataclass(frozen=True)
class Figure:
    """One ratio measured side by side.

    Attributes:
        name: What against what.
        value: The median ratio.
        noise: The lowest and highest ratio of the rounds.
        bar: What it should reach; None for a figure that is only reported.
        better: `more` or `less`.
        notes: The absolute figures, good for this machine and minute only.
    """

    name: str
    value: float
    noise: tuple[float, float]
    bar: float | None
    better: str
    notes: str = ""

    @property
    def reached(self) -> bool:
        """Tell whether the bar is reached."""
        if self.bar is None:
            return True
        return self.value >= self.bar if self.better == "more" else self.value <= self.bar


def spread(values: Sequence[float]) -> tuple[float, float]:
    """Give the lowest and highest."""
    return min(values), max(values)


def show(figures: Sequence[Figure]) -> None:
    """Print, keep and draw."""
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "figures.json").write_text(json.dumps([asdict(figure) for figure in figures], indent=1))
    lines = []
    for figure in figures:
        low, high = figure.noise
        sign = "≥" if figure.better == "more" else "≤"
        bar = "" if figure.bar is None else f"   bar {sign} {figure.bar:g}: {'reached' if figure.reached else 'MISSED'}"
        lines += [f"{figure.value:10.3g}  ({low:.3g} to {high:.3g})  {figure.name}{bar}"]
        if figure.notes:
            lines += [" " * 12 + figure.notes]
    sys.stdout.write("\n".join(lines) + "\n")
    try:
        _draw(figures)
    except ImportError:
        sys.stdout.write("(no chart: matplotlib is not installed)\n")
    else:
        sys.stdout.write(f"chart: {OUT / 'figures.svg'}\n")


def _draw(figures: Sequence[Figure]) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    barred = [figure for figure in figures if figure.bar is not None]
    # How far beyond its bar each figure is, so that one axis fits all: right of 1 is good.
    margins = [
        figure.value / (figure.bar or 1) if figure.better == "more" else (figure.bar or 1) / figure.value
        for figure in barred
    ]
    picture, axes = pyplot.subplots(figsize=(11, 0.6 * len(barred) + 1.4))
    colours = ["#2a7f62" if figure.reached else "#b3261e" for figure in barred]
    axes.barh([figure.name for figure in barred], margins, color=colours)
    axes.axvline(1, color="#444444", linewidth=1)
    axes.set_xscale("log")
    axes.set_xlabel("times better than its bar (1 = just reached)")
    axes.invert_yaxis()
    for place, (figure, margin) in enumerate(zip(barred, margins, strict=True)):
        axes.text(max(margin, 1) * 1.03, place, f"{figure.value:.3g}", va="center", fontsize=9)
    axes.margins(x=0.15)
    picture.tight_layout()
    for ending in ("svg", "png"):
        picture.savefig(OUT / f"figures.{ending}", dpi=130)
    pyplot.close(picture)
