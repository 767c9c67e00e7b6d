"""The same walk without objects."""
def walk(steps):
    x = y = 0.0
    for i in range(steps):
        x, y = i, x
    return x + y


print(walk(1_200_000))
