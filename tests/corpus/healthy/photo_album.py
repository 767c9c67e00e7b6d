"""An album: pictures are made, turned, filtered, cut to thumbnails, set on pages, and saved."""

import io

from PIL import Image, ImageDraw, ImageFilter, ImageOps


def picture(n, size=(640, 480)):
    image = Image.new("RGB", size, (n * 7 % 256, n * 13 % 256, n * 29 % 256))
    draw = ImageDraw.Draw(image)
    for k in range(60):
        draw.ellipse((k * 10 % 600, k * 17 % 440, k * 10 % 600 + 50, k * 17 % 440 + 40), fill=(k * 4, n % 256, 255 - k * 4))
    return image


def main():
    thumbs, bytes_ = [], 0
    for n in range(60):
        image = picture(n).filter(ImageFilter.GaussianBlur(2)).rotate(n, expand=True)
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=80)
        bytes_ += buffer.tell()
        again = Image.open(io.BytesIO(buffer.getvalue()))
        thumbs.append(ImageOps.fit(again, (120, 90)))
    pages = []
    for start in range(0, len(thumbs), 12):
        page = Image.new("RGB", (520, 300), "white")
        for k, thumb in enumerate(thumbs[start : start + 12]):
            page.paste(thumb, (k % 4 * 130 + 5, k // 4 * 100 + 5))
        pages.append(page)
    out = io.BytesIO()
    pages[0].save(out, "GIF", save_all=True, append_images=pages[1:])
    print(bytes_, len(pages), out.tell() > 0)


main()
