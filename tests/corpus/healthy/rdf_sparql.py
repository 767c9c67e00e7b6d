"""A graph of triples, asked in SPARQL."""

from rdflib import RDF, Graph, Literal, Namespace

EX = Namespace("http://example.org/")
g = Graph()
for i in range(1500):
    p = EX[f"p{i}"]
    g.add((p, RDF.type, EX.Person))
    g.add((p, EX.name, Literal(f"name {i}")))
    g.add((p, EX.age, Literal(i % 90)))
    g.add((p, EX.knows, EX[f"p{(i * 7 + 1) % 1500}"]))
text = g.serialize(format="turtle")
h = Graph().parse(data=text, format="turtle")
n = 0
for a in range(20, 60, 4):
    n += len(
        list(h.query("SELECT ?n ?m WHERE { ?p a ex:Person ; ex:age %d ; ex:knows ?q ; ex:name ?n . ?q ex:name ?m }" % a, initNs={"ex": EX}))
    )
print(len(h), n)
