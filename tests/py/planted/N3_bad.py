"""A page is built by adding a row at a time to a text that two names hold, so that each step copies it."""
def render(rows):
    out = ""
    for k, v in rows:
        out = out + "<td>" + k + "=" + v + "</td>"          # culprit
    return out


ROWS = [(f"key{i}", f"value{i}") for i in range(3000)]
print(sum(len(render(ROWS)) for _ in range(12)))
