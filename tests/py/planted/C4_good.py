"""The function is at module level."""
def down(k, work):
    return len(work) if k == 0 else down(k - 1, work)


def depth(number):
    work = [number] * 500
    return down(3, work)


print(sum(depth(i) for i in range(40_000)))
