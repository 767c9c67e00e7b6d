"""The same page, joined once."""
def render(rows):
    parts = []
    for k, v in rows:
        parts.append("<td>" + k + "=" + v + "</td>")
    return "".join(parts)


ROWS = [(f"key{i}", f"value{i}") for i in range(3000)]
print(sum(len(render(ROWS)) for _ in range(12)))
