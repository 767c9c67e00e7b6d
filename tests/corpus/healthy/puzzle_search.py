"""The fifteen-puzzle's little brother, solved breadth first: what was seen is kept until the way is found."""
import collections


def neighbours(state):
    hole = state.index("0")
    x, y = hole % 3, hole // 3
    for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        if 0 <= x + dx < 3 and 0 <= y + dy < 3:
            other = (y + dy) * 3 + x + dx
            a, b = sorted((hole, other))
            yield state[:a] + state[b] + state[a + 1:b] + state[a] + state[b + 1:]


def solve(start, goal):
    came, queue = {start: None}, collections.deque([start])
    while queue:
        state = queue.popleft()
        if state == goal:
            way = []
            while state:
                way.append(state)
                state = came[state]
            return way[::-1]
        for other in neighbours(state):
            if other not in came:
                came[other] = state
                queue.append(other)


print(sum(len(solve(start, "123456780")) for start in ("867254301", "647850321", "806547231")))
