"""Two players search with alpha and beta; games to PGN and back."""

import io
import random

import chess
import chess.pgn

random.seed(4)
V = {1: 1, 2: 3, 3: 3, 4: 5, 5: 9, 6: 0}
TT = {}


def ev(b):
    return sum(V[p.piece_type] * (1 if p.color == b.turn else -1) for p in b.piece_map().values())


def nega(b, d, al, be):
    k = (b._transposition_key(), d)
    if k in TT:
        return TT[k]
    if d == 0 or b.is_game_over():
        return ev(b)
    best = -99
    for m in b.legal_moves:
        b.push(m)
        s = -nega(b, d - 1, -be, -al)
        b.pop()
        best = max(best, s)
        al = max(al, s)
        if al >= be:
            break
    if len(TT) > 20000:
        TT.clear()
    TT[k] = best
    return best


b = chess.Board()
g = chess.pgn.Game()
node = g
for i in range(10):
    m = max(b.legal_moves, key=lambda m: (b.push(m), -nega(b, 1, -99, 99), b.pop())[1])
    b.push(m)
    node = node.add_variation(m)
print(b.fen())
n = 0
t = str(g)
for i in range(60):
    n += len(list(chess.pgn.read_game(io.StringIO(t)).mainline_moves()))
print(n)
