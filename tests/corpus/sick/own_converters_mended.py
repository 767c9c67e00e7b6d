"""Document converters: threads wait for documents; a big import comes once, then the evening is quiet."""
import queue
import threading
import time


class Converter(threading.Thread):
    def __init__(self, inbox, done):
        super().__init__(daemon=True)
        self.inbox = inbox
        self.done = done

    def run(self):
        while True:
            document = self.inbox.get()
            if document is None:
                return
            pages = self.convert(document)
            self.done.put((document["name"], len(pages)))
            self.inbox.task_done()
            del document, pages

    def convert(self, document):
        text = document["text"]
        return [text[start:start + 1800].title() for start in range(0, len(text), 1800)]


def documents(count):
    for number in range(count):
        yield {"name": f"doc-{number}", "text": f"page {number} of the archive, " * 100_000}


def import_archive(inbox, count):
    for document in documents(count):
        inbox.put(document)
    inbox.join()


def main():
    inbox, done = queue.Queue(2), queue.SimpleQueue()
    threads = [Converter(inbox, done) for _ in range(6)]
    for thread in threads:
        thread.start()
    import_archive(inbox, 24)
    pages = 0
    while not done.empty():
        pages += done.get()[1]
    for tick in range(15):
        time.sleep(0.1)
    for thread in threads:
        inbox.put(None)
    print(pages, tick)


main()
