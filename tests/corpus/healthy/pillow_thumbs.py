"""Pictures made, filtered, shrunk and stored."""
import io

from PIL import Image, ImageDraw, ImageFilter

size = 0
for n in range(120):
    picture = Image.new("RGB", (640, 480), (n, 2 * n % 256, 90))
    draw = ImageDraw.Draw(picture)
    for k in range(40):
        draw.ellipse((k * 12, k * 9, k * 12 + 60, k * 9 + 60), fill=(k * 5 % 256, n, 30))
    draw.text((20, 20), f"picture {n}")
    picture = picture.filter(ImageFilter.GaussianBlur(2))
    picture.thumbnail((160, 120))
    stored = io.BytesIO()
    picture.save(stored, "JPEG")
    size += stored.tell()
print(size > 0)
