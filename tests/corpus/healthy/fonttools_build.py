"""A font is built, saved, subset and dumped as XML."""

import io

from fontTools import subset
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont

names = [".notdef"] + [f"g{i}" for i in range(3000)]
fb = FontBuilder(1024, isTTF=True)
fb.setupGlyphOrder(names)
fb.setupCharacterMap({0x4E00 + i: f"g{i}" for i in range(3000)})
glyphs = {}
for i, n in enumerate(names):
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    pen.lineTo((500, i % 500))
    pen.lineTo((500, 700))
    pen.qCurveTo((250, 900), (0, 700))
    pen.closePath()
    glyphs[n] = pen.glyph()
fb.setupGlyf(glyphs)
fb.setupHorizontalMetrics({n: (600, 0) for n in names})
fb.setupHorizontalHeader(ascent=824, descent=-200)
fb.setupNameTable({"familyName": "T", "styleName": "R"})
fb.setupOS2()
fb.setupPost()
out = io.BytesIO()
fb.save(out)
for step in range(6):
    out.seek(0)
    f = TTFont(out)
    o = subset.Options()
    s = subset.Subsetter(o)
    s.populate(unicodes=range(0x4E00 + step, 0x4E00 + 3000, step + 2))
    s.subset(f)
    b = io.BytesIO()
    f.save(b)
    x = io.StringIO()
    f.saveXML(x)
    print(len(b.getvalue()), len(x.getvalue()) > 1000)
