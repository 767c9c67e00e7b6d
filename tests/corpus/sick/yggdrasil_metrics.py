"""A feature-flag client: asks for its flags, and sends its metrics now and then."""
import json

from yggdrasil_engine.engine import UnleashEngine

features = [{"name": f"flag-{n}", "type": "release", "enabled": True, "strategies": [{"name": "default", "parameters": {}, "constraints": []}]}
            for n in range(40)]


def main():
    engine = UnleashEngine()
    engine.take_state(json.dumps({"version": 2, "features": features, "segments": []}))
    on = sent = 0
    for n in range(40000):
        name = f"flag-{n % 40}"
        on += bool(engine.is_enabled(name, {"userId": str(n)}))
        engine.count_toggle(name, True)
        if n % 40 == 39:
            for k in range(40):
                engine.count_toggle(f"flag-{k}", k % 2 == 0)
        sent += len(engine.get_metrics() or ())
    print(on, sent)


main()
