"""Test data: one generator for each case, with a seed of its own."""
from mimesis import Field
from mimesis.locales import Locale

names = set()
for seed in range(40):
    field = Field(Locale.EN, seed=seed)
    for _ in range(6000):
        names.add(field("full_name") + " " + field("address.city"))
print(len(names))
