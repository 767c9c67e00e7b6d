"""A suite of robot tests with a library of its own."""

import os
import tempfile

import robot

d = tempfile.mkdtemp()
with open(d + "/Shop.py", "w") as f:
    f.write(
        "class Shop:\n    def __init__(self): self.cart = {}\n    def add(self, what, n): self.cart[what] = self.cart.get(what, 0) + int(n)\n"
        "    def total_should_be(self, n):\n        assert sum(self.cart.values()) == int(n)\n    def clear(self): self.cart.clear()\n"
    )
with open(d + "/s.robot", "w") as f:
    f.write("*** Settings ***\nLibrary    Shop.py\nTest Setup    Clear\n*** Test Cases ***\n")
    for i in range(300):
        f.write(
            f"Case {i}\n" + "".join(f"    Add    thing{j}    {j + 1}\n" for j in range(8)) + "    Total Should Be    36\n"
            "    FOR    ${x}    IN RANGE    6\n        Add    more    ${x}\n    END\n"
        )
print(robot.run(d, outputdir=d + "/out", stdout=open(os.devnull, "w")))
