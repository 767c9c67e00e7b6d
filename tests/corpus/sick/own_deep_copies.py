"""Each request starts from the default settings."""
import copy

DEFAULTS = {f"section {s}": {f"key {k}": [s, k, str(s * k)] for k in range(30)} for s in range(20)}


def handle(number):
    settings = copy.deepcopy(DEFAULTS)
    settings["section 3"]["key 4"] = number
    return len(settings["section 3"]) + settings["section 3"]["key 4"] % 3


print(sum(handle(number) for number in range(800)))
