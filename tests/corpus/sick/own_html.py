"""A page with a row for each order."""


def page(rows):
    body = b""
    for number in range(rows):
        body += b"<tr><td>%d</td><td>order %d of the day</td></tr>\n" % (number, number)
    return b"<table>" + body + b"</table>"


print(sum(len(page(9_000)) for _ in range(2)))
