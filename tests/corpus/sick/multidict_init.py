"""Headers made from other headers, as a proxy does for each request."""
from multidict import CIMultiDict

total = 0
for i in range(700_000):
    came = CIMultiDict([("Host", f"shop{i % 100}.example"), ("Accept", "*/*"), ("Cookie", f"session={i:032d}")])
    total += sum(len(name) for name in came.keys())
    if i % 10 == 0:
        onward = CIMultiDict(came, Via="1.1 proxy")
        onward.update({"X-Request": f"{i:032d}"})
        total += len(onward)
print(total)
