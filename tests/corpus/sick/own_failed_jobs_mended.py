"""Images are resized in a pool; the failed jobs are listed at the end."""
import concurrent.futures
import threading


class BadImage(Exception):
    pass


def decode(name, raw):
    pixels = bytearray(raw * 300)
    if name.endswith("7.tiff"):
        raise BadImage(name)
    return pixels


def resize(name):
    raw = bytes(range(256)) * 8
    pixels = decode(name, raw)
    return len(pixels[::64])


def resize_or_say(name):
    try:
        return resize(name)
    except BadImage as error:
        return str(error)


def main():
    names = [f"scan-{number}.tiff" for number in range(900)]
    done, failed = 0, []
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(resize_or_say, name) for name in names]
        for future in concurrent.futures.as_completed(waiting):
            if isinstance(future.result(), str):
                failed.append(future.result())
            else:
                done += future.result()
            waiting.remove(future)
    for error in failed:
        print("failed:", error)
    threading.Event().wait(0.5)
    print(done, len(failed))


main()
