"""An outbox: letters are written faster than the printer prints."""
import queue
import threading
import time


class Outbox:
    def __init__(self):
        self.letters = queue.Queue(maxsize=500)
        self.printed = 0

    def write(self, number):
        self.letters.put(f"Dear customer {number}, " + "we are pleased to tell you " * 8)

    def print_all(self):
        while True:
            letter = self.letters.get()
            if letter is None:
                return
            if self.printed % 20 == 0:
                time.sleep(0.001)
            self.printed += 1


def main():
    outbox = Outbox()
    printer = threading.Thread(target=outbox.print_all, daemon=True)
    printer.start()
    deadline = time.monotonic() + 2.5
    number = 0
    while time.monotonic() < deadline:
        for _ in range(40):
            outbox.write(number)
            number += 1
        time.sleep(0.0008)
    print(number > 0, outbox.printed > 0)


main()
