"""A service that cleans up after each request."""
import gc

MODEL = {n: {"name": f"n{n}", "edges": [n - 1, n + 1]} for n in range(200_000)}


def tidy(handler):
    def wrapper(number):
        try:
            return handler(number)
        finally:
            pass
    return wrapper


@tidy
def handle(number):
    node = MODEL[number % len(MODEL)]
    return sum(len(MODEL.get(edge, {"name": ""})["name"]) for edge in node["edges"])


print(sum(handle(number * 31) for number in range(60)))
