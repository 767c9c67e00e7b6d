"""Pages of Jinja2 with inheritance, loops and includes."""

import jinja2

env = jinja2.Environment(
    loader=jinja2.DictLoader(
        {
            "b": "<h>{% block x %}{% endblock %}</h>",
            "p": "{% extends 'b' %}{% block x %}{% for u in us %}<a href='{{u.h|e}}'>{{u.n|title}}</a>{% if loop.last %}.{% endif %}{% endfor %}{% endblock %}",
        }
    )
)
t = env.get_template("p")
n = 0
for i in range(600):
    n += len(t.render(us=[{"h": f"/{i}/{k}", "n": f"name {k}"} for k in range(60)]))
    env.from_string("{{ a }} and {{ b|upper }} %d" % (i % 50)).render(a=1, b="x")
print(n)
