"""A server whose browsers come and go: each has a channel, and its messages expire unread."""
import asyncio
import time

from channels.layers import InMemoryChannelLayer

layer = InMemoryChannelLayer(expiry=0.05)


async def main():
    end, sent = time.monotonic() + 4, 0
    await layer.group_add("all", await layer.new_channel())
    while time.monotonic() < end:
        for _ in range(100):
            await layer.send(await layer.new_channel(), {"type": "news", "text": f"message {sent}"})
            sent += 1
        await layer.group_send("all", {"type": "tick"})
        await asyncio.sleep(0.02)
    print(sent > 0)


asyncio.run(main())
