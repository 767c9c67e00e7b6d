"""A batch that goes on when a record is broken, and tells at the end what failed."""


def convert(number):
    record = {f"field {k}": f"value {number} {k}" for k in range(60)}
    if number % 3 == 0:
        record.pop("field 7")
    return len(record["field 7"])


errors, size = [], 0
for number in range(18_000):
    try:
        size += convert(number)
    except KeyError as error:
        errors.append((number, error))
print(size, len(errors), "failed; the first:", errors[0][0], repr(errors[0][1]))
