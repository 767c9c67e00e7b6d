"""Frames are handed to a worker process in shared memory, batch by batch."""
import multiprocessing
from multiprocessing import resource_tracker
from multiprocessing.shared_memory import SharedMemory


def bright(name, size, out):
    block = SharedMemory(name=name, track=False)
    out.put(sum(block.buf[:size:4096]))
    block.close()


def run(batch, context):
    size = 4 << 20
    block = SharedMemory(create=True, size=size, track=False)
    block.buf[:size] = bytes([batch % 256]) * size
    out = context.Queue()
    worker = context.Process(target=bright, args=(block.name, size, out))
    worker.start()
    total = out.get()
    worker.join()
    block.close()
    block.unlink()
    return total


def main():
    context = multiprocessing.get_context("fork")
    print(sum(run(batch, context) for batch in range(5)))


if __name__ == "__main__":
    main()
