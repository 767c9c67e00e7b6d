"""jinja2 renders pages from templates with inheritance and macros."""
from jinja2 import DictLoader, Environment

env = Environment(loader=DictLoader({
    "base": "<html><title>{% block title %}{% endblock %}</title>{% block body %}{% endblock %}</html>",
    "tools": "{% macro row(item) %}<tr><td>{{ item.name|title }}</td><td>{{ '%.2f'|format(item.price) }}</td></tr>{% endmacro %}",
    "page": "{% extends 'base' %}{% from 'tools' import row %}{% block title %}{{ title }}{% endblock %}"
            "{% block body %}<table>{% for item in items %}{{ row(item) }}{% endfor %}</table>{% endblock %}"}), autoescape=True)
items = [{"name": f"thing <{n}>", "price": n * 1.1} for n in range(100)]
print(sum(len(env.get_template("page").render(title=f"Page {n}", items=items)) for n in range(2500)))
