"""Draw docs/picture.png, the picture of the README, from the result of `zonalbatch demo`.

zonalbatch demo && python docs/make_picture.py zonalbatch-demo docs/picture.png
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import rasterio
from PIL import Image

import zonalbatch as zb
from zonalbatch.pictures.style import COLOURS, GREY, RAMP, bare, dated

mpl.use("Agg")

import matplotlib.pyplot as plt

DAY = "2025-06-16"
STRETCH = (6500, 3000, 3000)
"""Raw values shown as white: near infrared as red, red as green and blue."""
CROPS = ("winter wheat", "maize", "sugar beet", "grass", "potato")


def main(demo: Path, picture: Path) -> None:
    """Scene, fields by NDVI, and the year of the crops, side by side."""
    rows = zb.open_results(demo / "out").gdf
    fig, axes = plt.subplots(1, 3, figsize=(13, 4.2), width_ratios=(1, 1.22, 1.35))
    _scene(axes[0], demo)
    _fields(axes[1], rows[rows["datetime"].dt.strftime("%Y-%m-%d") == DAY])
    _year(axes[2], rows)
    fig.tight_layout()
    fig.savefig(picture, dpi=110)
    Image.open(picture).convert("RGB").quantize(160).save(picture, optimize=True)


def _scene(ax: Any, demo: Path) -> None:
    folder = demo / "scenes" / DAY.replace("-", "")
    with rasterio.open(folder / "B08.tif") as nir, rasterio.open(folder / "B04.tif") as red:
        bands = np.stack([nir.read(1), red.read(1), red.read(1)], axis=-1) / STRETCH
        left, bottom, right, top = nir.bounds
    ax.imshow(np.clip(bands, 0, 1), extent=(left, right, bottom, top))
    ax.set_title(f"{DAY}: one of 12 scenes", fontsize=10)
    ax.set_axis_off()


def _fields(ax: Any, day: Any) -> None:
    day.plot(
        "ndvi_mean", ax=ax, cmap=RAMP, vmin=0.1, vmax=0.9, edgecolor="white", linewidth=0.2,
        legend=True, legend_kwds={"label": "mean NDVI", "shrink": 0.8},
        missing_kwds={"color": GREY},
    )  # fmt: skip
    ax.set_title("one row per field and date", fontsize=10)
    ax.set_axis_off()


def _year(ax: Any, rows: Any) -> None:
    clear = rows[rows["ndvi_valid_fraction"] > 0.5]
    for crop, colour in zip(CROPS, COLOURS, strict=False):
        by_day = clear[clear["crop"] == crop].groupby("datetime")["ndvi_mean"]
        middle, low, high = by_day.median(), by_day.quantile(0.1), by_day.quantile(0.9)
        ax.plot(middle.index, middle, marker="o", markersize=3, label=crop, color=colour)
        ax.fill_between(middle.index, low, high, color=colour, alpha=0.12, lw=0)
    ax.set_title("clouds masked: the year of the crops", fontsize=10)
    ax.set_ylabel("NDVI")
    ax.legend(fontsize=8, frameon=False)
    bare(ax)
    dated(ax)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
