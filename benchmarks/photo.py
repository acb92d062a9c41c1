"""How long a terminal takes to read the code of a photo: `python -m benchmarks.photo`.

The photos are of labels as drawn, held askew before a shaded wall, with noise, as JPEG.
"""

import io
import random
import tempfile
import time
from pathlib import Path

from PIL import Image, ImageFilter

from benchmarks.measuring import percentiles
from bus.contract.refusals import LabelError
from bus.text.console import output
from devices.terminal.scanner import read_image
from labels.label import Label, draw_png

PHOTOS, ROUNDS = 20, 5
SIZE = (1200, 900)
LINK = "https://shop.example/01/09506000134352"


def photo(chance: random.Random) -> Image.Image:
    """A label somewhere in a picture of 1200x900."""
    drawn = draw_png(Label(LINK, "Oxford shirt", "59.00 EUR", "blue, M", "09506000134352"))
    wall = Image.linear_gradient("L").resize(SIZE).point(lambda grey: 90 + grey // 3)
    with Image.open(io.BytesIO(drawn)) as opened:
        factor = chance.uniform(0.6, 0.9)
        label = opened.resize((round(opened.width * factor), round(opened.height * factor)))
    angle = chance.uniform(-25, 25)
    tilted = label.rotate(angle, Image.Resampling.BICUBIC, expand=True)
    paper = Image.new("L", label.size, 255).rotate(angle, expand=True)
    wall.paste(tilted, (chance.randrange(50, 450), chance.randrange(0, 120)), paper)
    noise = Image.effect_noise(SIZE, 20)
    return Image.blend(wall, noise, 0.1).filter(ImageFilter.GaussianBlur(1)).convert("RGB")


def main() -> None:
    """Read each photo several times and print the figure."""
    chance, taken, unread = random.Random(7), [], 0
    with tempfile.TemporaryDirectory(prefix="storebus-bench-") as folder:
        for number in range(PHOTOS):
            path = Path(folder) / f"{number}.jpg"
            photo(chance).save(path, quality=85)
            for _ in range(ROUNDS):
                start = time.perf_counter()
                try:
                    unread += read_image(path) != (LINK,)
                except LabelError:
                    unread += 1
                taken.append(time.perf_counter() - start)
    p50, p99 = percentiles(taken)
    output.print(
        f"code read from a photo of {SIZE[0]}x{SIZE[1]}: p50 {p50}, p99 {p99}"
        f" (aim: p50 <= 60 ms); {unread} of {PHOTOS * ROUNDS} could not be read"
    )


if __name__ == "__main__":
    main()
