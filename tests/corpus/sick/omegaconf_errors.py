"""Looks for optional settings of many services."""
from omegaconf import OmegaConf
from omegaconf.errors import ConfigKeyError, ConfigAttributeError

config = OmegaConf.create({f"service{n}": {"port": n, "host": "h"} for n in range(30)})
OmegaConf.set_struct(config, True)


def timeout(name):
    samples = [name] * 50
    try:
        return config[name].timeout
    except (ConfigKeyError, ConfigAttributeError):
        return len(samples)


print(sum(timeout(f"service{number % 30}") for number in range(4_000)))
