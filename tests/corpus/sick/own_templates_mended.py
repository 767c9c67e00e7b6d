"""Renders mails."""
import jinja2

TEXT = "Dear {{ name }},\n{% for line in lines %}- {{ line|upper }}\n{% endfor %}"
ENVIRONMENT = jinja2.Environment(trim_blocks=True)
TEMPLATE = ENVIRONMENT.from_string(TEXT)


class Mailer:
    def __init__(self):
        self.sent = 0

    def render(self, name, lines):
        return TEMPLATE.render(name=name, lines=lines)

    def send(self, name, lines):
        self.sent += len(self.render(name, lines))


mailer = Mailer()
for number in range(400):
    mailer.send(f"customer {number}", ["one", "two", "three"])
print(mailer.sent)
