"""Records are written to one stream."""
import pickle


class Sink:
    size = 0

    def write(self, data):
        self.size += len(data)


sink = Sink()
pickler = pickle.Pickler(sink, protocol=5)
for number in range(60_000):
    pickler.clear_memo()
    pickler.dump({"id": number, "name": f"record {number}", "values": [number, number + 1, number + 2]})
print(sink.size > 0)
