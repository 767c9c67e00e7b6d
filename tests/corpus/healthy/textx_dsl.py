"""Models of a small language are parsed and turned into text."""

from textx import metamodel_from_str

mm = metamodel_from_str("""
Model: 'model' name=ID '{' entities*=Entity '}';
Entity: 'entity' name=ID ('extends' base=[Entity])? '{' props*=Prop '}';
Prop: name=ID ':' type=ID ('=' value=INT)?;
""")
n = 0
for k in range(25):
    src = (
        f"model m{k} {{\n"
        + "\n".join(
            f"entity E{i} " + (f"extends E{i - 1} " if i else "") + "{ " + " ".join(f"p{j}: int = {j}" for j in range(10)) + " }"
            for i in range(60)
        )
        + "\n}"
    )
    m = mm.model_from_str(src)
    out = []
    for e in m.entities:
        out.append(f"class {e.name}({e.base.name if e.base else 'object'}):\n" + "".join(f"    {p.name} = {p.value}\n" for p in e.props))
    n += len("".join(out))
print(n)
