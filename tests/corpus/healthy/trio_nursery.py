"""Producers and consumers in nurseries, with one that fails."""

import trio


async def prod(s, n):
    async with s:
        for i in range(n):
            await s.send({"i": i, "d": [i] * 10})


async def cons(r, out):
    async with r:
        async for x in r:
            if x["i"] % 50 == 0:
                await trio.sleep(0)
            out[0] += sum(x["d"])


async def main():
    out = [0]
    for b in range(25):
        s, r = trio.open_memory_channel(20)
        async with trio.open_nursery() as n:
            for k in range(3):
                n.start_soon(prod, s.clone(), 300)
            for k in range(4):
                n.start_soon(cons, r.clone(), out)
            s.close()
            r.close()
        with trio.move_on_after(0.001):
            await trio.sleep(1)
        try:
            async with trio.open_nursery() as n:

                async def bad():
                    raise ValueError("x")

                n.start_soon(bad)
                await trio.sleep(1)
        except* ValueError:
            pass
    print(out)


trio.run(main)
