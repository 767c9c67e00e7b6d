"""Events of a detector as ragged arrays, batch by batch."""
import awkward as ak


def batch(n):
    return [{"run": n, "tracks": [{"pt": k * 0.5, "eta": -k * 0.1} for k in range(n % 5 + 1)], "name": f"event {n}-{m}"} for m in range(60)]


def main():
    total = 0.0
    for n in range(300):
        events = ak.from_iter(batch(n))
        total += sum(len(t) for t in ak.to_list(events.tracks))
        for event in events:
            total += event["run"]
    print(total)


main()
