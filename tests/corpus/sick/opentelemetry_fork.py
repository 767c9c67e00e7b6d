"""One tracer provider for each job, shut down when the job is done."""
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult


class Memory(SpanExporter):
    def __init__(self):
        self.sent = 0

    def export(self, spans):
        self.sent += len(spans)
        return SpanExportResult.SUCCESS


for job in range(1250):
    provider = TracerProvider(resource=Resource({"service.name": f"job-{job}"}), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(Memory(), max_queue_size=2048))
    tracer = provider.get_tracer("corpus")
    for step in range(70):
        with tracer.start_as_current_span(f"step {step}") as span:
            span.set_attribute("job", job)
    provider.shutdown()
