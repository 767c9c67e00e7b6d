"""Word ladders: for each puzzle the graph of its words is built and searched."""
import collections
import itertools
import random

LETTERS = "aeinrst"


def neighbours(word):
    for place, letter in itertools.product(range(len(word)), LETTERS):
        if word[place] != letter:
            yield word[:place] + letter + word[place + 1:]


def build(words):
    vertices = {word: [word, []] for word in words}
    for word, vertex in vertices.items():
        for other in neighbours(word):
            if other in vertices:
                vertex[1].append(vertices[other])
    return vertices


def ladder(graph, start, goal):
    queue = collections.deque([(graph[start], 0)])
    seen = {start}
    while queue:
        vertex, steps = queue.popleft()
        if vertex[0] == goal:
            return steps
        for other in vertex[1]:
            if other[0] not in seen:
                seen.add(other[0])
                queue.append((other, steps + 1))
    return -1


def puzzle(number):
    rng = random.Random(number)
    words = ["".join(rng.choice(LETTERS) for _ in range(4)) for _ in range(900)]
    return ladder(build(words), words[0], words[-1])


def main():
    steps = [puzzle(number) for number in range(220)]
    print(sum(steps), max(steps))


main()
