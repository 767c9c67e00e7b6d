"""Connect four: moves are searched to a depth with a table of positions, emptied for each move."""
import sys

sys.setrecursionlimit(5000)
WIDTH, HEIGHT = 5, 4


def won(cells):
    for step in (1, HEIGHT + 1, HEIGHT, HEIGHT + 2):
        near = cells & (cells >> step)
        if near & (near >> 2 * step):
            return True
    return False


def search(mine, others, heights, depth, low, high, table):
    if won(others):
        return -depth - 1
    if depth == 0:
        return 0
    key = (mine, others, depth)
    if key in table:
        return table[key]
    best = -100
    for column in range(WIDTH):
        if heights[column] < HEIGHT:
            more = heights[:column] + (heights[column] + 1,) + heights[column + 1:]
            best = max(best, -search(others, mine | 1 << (column * (HEIGHT + 1) + heights[column]), more, depth - 1, -high, -low, table))
            low = max(low, best)
            if low >= high:
                break
    table[key] = best
    return best


mine, others, heights = 0, 0, (0,) * WIDTH
moves = []
for turn in range(12):
    table, best = {}, None
    for column in range(WIDTH):
        if heights[column] < HEIGHT:
            more = heights[:column] + (heights[column] + 1,) + heights[column + 1:]
            value = -search(others, mine | 1 << (column * (HEIGHT + 1) + heights[column]), more, 8, -100, 100, table)
            if best is None or value > best[0]:
                best = value, column, more
    if best is None or won(others):
        break
    mine, others, heights = others, mine | 1 << (best[1] * (HEIGHT + 1) + heights[best[1]]), best[2]
    moves.append(best[1])
print(moves)
