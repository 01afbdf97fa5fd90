"""The plain design to compare with: image bytes through the broker, Celery's defaults, Pillow's own blur."""

import base64
import io
import os

from celery import Celery, group
from PIL import Image, ImageFilter

app = Celery("plain", broker=os.environ.get("PLAIN_REDIS", ""), backend=os.environ.get("PLAIN_REDIS", ""))


@app.task(name="plain.blur")
def blur(data: str, radius: float) -> str:
    """Blur a base64-encoded image; return it base64-encoded."""
    image = Image.open(io.BytesIO(base64.b64decode(data)))
    file = io.BytesIO()
    image.filter(ImageFilter.GaussianBlur(radius)).save(file, "JPEG", quality=85)
    return base64.b64encode(file.getvalue()).decode()


def run(images: list[bytes], radius: float) -> int:
    """Blur a batch, wait for it, and return the number of results."""
    tasks = group(blur.s(base64.b64encode(image).decode(), radius) for image in images)
    return len(tasks.apply_async().get(timeout=600))
