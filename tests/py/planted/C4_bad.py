"""A nested function that calls itself holds itself by its closure, and all that it reads."""
def depth(number):
    work = [number] * 500

    def down(k):                                            # culprit
        return len(work) if k == 0 else down(k - 1)

    return down(3)


print(sum(depth(i) for i in range(40_000)))
