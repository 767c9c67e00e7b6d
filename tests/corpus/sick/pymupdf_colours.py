"""Scans in CMYK are turned into RGB and packed, page by page."""
import zlib

import pymupdf


def convert(n):
    scan = pymupdf.Pixmap(pymupdf.csCMYK, pymupdf.IRect(0, 0, 300 + n % 5, 400))
    scan.clear_with(n % 255)
    page = pymupdf.Pixmap(pymupdf.csRGB, scan)
    return len(zlib.compress(page.samples))


def main():
    total = 0
    for n in range(800):
        total += convert(n)
    print(total)


main()
