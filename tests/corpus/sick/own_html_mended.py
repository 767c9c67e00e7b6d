"""A page with a row for each order."""


def page(rows):
    body = []
    for number in range(rows):
        body.append(b"<tr><td>%d</td><td>order %d of the day</td></tr>\n" % (number, number))
    return b"<table>" + b"".join(body) + b"</table>"


print(sum(len(page(9_000)) for _ in range(2)))
