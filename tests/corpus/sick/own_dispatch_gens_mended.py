"""Chat messages arrive in pieces; a generator for each session puts them together."""
import random

parsers = {}
messages = []


def assemble(session):
    buffer = bytearray(2048)
    used = 0
    while True:
        piece = yield
        if piece is None:
            continue
        buffer[used:used + len(piece)] = piece
        used += len(piece)
        if piece.endswith(b"\n"):
            messages.append((session, used))
            del messages[:-50]
            used = 0


def feed(session, piece):
    parser = parsers.get(session)
    if parser is None:
        parser = parsers[session] = assemble(session)
        next(parser)
    parser.send(piece)


def leave(session):
    parsers.pop(session).close()


def talk(session, rng):
    for _ in range(rng.randrange(2, 8)):
        feed(session, b"hello, this is ")
        feed(session, b"session %d\n" % session)
    leave(session)


def main():
    rng = random.Random(7)
    for session in range(22_000):
        talk(session, rng)
    print(len(messages))


main()
