"""Settings are read by their path."""
from addict import Dict

total = 0
for number in range(60_000):
    settings = Dict()
    settings.server.http.port = number
    settings.server.http.hosts = [f"host {number} {k}" for k in range(10)]
    total += settings.server.http.port
print(total)
