"""A tenth of a second of orders over a table that is made in one go."""

CLIENTS = [{"number": n, "name": f"client {n} " * 3} for n in range(60_000)]

total = 0
for n in range(0, 60_000, 300):
    total += sum(len(client["name"]) for client in CLIENTS[n:n + 300])
print(total > 0)
