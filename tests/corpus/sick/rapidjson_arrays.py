"""JSON with long arrays, kept as tuples."""
import rapidjson


class Decoder(rapidjson.Decoder):
    def end_array(self, sequence):
        return tuple(sequence)


decode, total = Decoder(), 0
text = rapidjson.dumps({"rows": [[k, k + 1, k + 2] for k in range(40)]})
for number in range(12_000):
    total += len(decode(text)["rows"])
print(total)
