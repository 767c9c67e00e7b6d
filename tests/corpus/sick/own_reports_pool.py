"""Monthly reports are made by a pool of threads and written one by one."""
import concurrent.futures
import io


def report(month):
    return [[month, shop, shop * month * 0.01, f"shop {shop}"] for shop in range(8000)]


def write(out, rows):
    for row in rows:
        out.write(f"{row[0]};{row[1]};{row[2]:.2f};{row[3]}\n")
    out.truncate(0)
    out.seek(0)


def main():
    out = io.StringIO()
    count = 0
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        futures = [pool.submit(report, month) for month in range(60)]
        for future in concurrent.futures.as_completed(futures):
            rows = future.result()
            write(out, rows)
            count += len(rows)
    print(count)


main()
