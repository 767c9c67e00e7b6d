"""A tracing client made for each job."""
import os

os.environ.update(LANGSMITH_TRACING="false", LANGSMITH_API_KEY="key")
from langsmith import Client  # noqa: E402

for job in range(12_000):
    client = Client(api_url=f"http://127.0.0.1:9/{job}", auto_batch_tracing=False, info={})
    client.session.headers["X-Job"] = str(job)
    getattr(client, "close", client.cleanup)()      # the way of the release to say that it is no longer needed
