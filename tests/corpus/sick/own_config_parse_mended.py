"""A service that looks up its settings."""
import configparser

TEXT = "".join(f"[service{n}]\nhost = h{n}\nport = {n}\ntimeout = {n % 9}\n\n" for n in range(40))
CONFIG = configparser.ConfigParser()
CONFIG.read_string(TEXT)


def setting(section, name):
    return CONFIG[section][name]


total = 0
for number in range(500):
    total += int(setting(f"service{number % 40}", "timeout"))
print(total)
