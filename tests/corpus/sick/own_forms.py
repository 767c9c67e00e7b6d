"""Checks submitted forms against their schema."""
import dataclasses


def make_form(fields):
    return dataclasses.make_dataclass("Form", [(name, kind) for name, kind in fields])


class Handler:
    schema = (("name", str), ("age", int), ("mail", str), ("town", str))

    def submit(self, values):
        form = make_form(self.schema)(**values)
        return all(isinstance(getattr(form, name), kind) for name, kind in self.schema)


handler, good = Handler(), 0
for number in range(1_200):
    good += handler.submit({"name": f"n{number}", "age": number, "mail": "m", "town": 3 if number % 5 else "t"})
print(good)
