"""Exports for tenants in a pool of threads."""
import concurrent.futures
import threading

local = threading.local()


def export(tenant):
    rows = getattr(local, "rows", None)
    if rows is None:
        rows = local.rows = {}
    rows[tenant] = [f"{tenant} row {n}" for n in range(150)]
    try:
        return len("\n".join(rows[tenant]))
    finally:
        local.rows.clear()


with concurrent.futures.ThreadPoolExecutor(4) as pool:
    print(sum(pool.map(export, (f"tenant {n}" for n in range(6_000)))))
