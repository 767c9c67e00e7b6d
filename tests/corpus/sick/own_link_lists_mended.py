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
    words = set(words)
    return {word: [word, [other for other in neighbours(word) if other in words]] for word in words}


def ladder(graph, start, goal):
    queue = collections.deque([(graph[start], 0)])
    seen = {start}
    while queue:
        vertex, steps = queue.popleft()
        if vertex[0] == goal:
            return steps
        for other in vertex[1]:
            if other not in seen:
                seen.add(other)
                queue.append((graph[other], steps + 1))
    return -1


def puzzle(number):
    rng = random.Random(number)
    words = ["".join(rng.choice(LETTERS) for _ in range(4)) for _ in range(900)]
    return ladder(build(words), words[0], words[-1])


def main():
    steps = [puzzle(number) for number in range(220)]
    print(sum(steps), max(steps))


main()
