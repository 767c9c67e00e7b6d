"""Records with attributes by the names that the input has."""


class Record:
    pass


total = 0
for number in range(400_000):
    record = Record()
    setattr(record, f"sensor_{number}_temperature", number)
    total += len(vars(record))
print(total)
