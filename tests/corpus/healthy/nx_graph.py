"""Ways, components and layouts of networkx."""

import random

import networkx as nx

random.seed(2)
G = nx.barabasi_albert_graph(4000, 4, seed=1)
for u, v in G.edges:
    G[u][v]["w"] = random.random()
pr = nx.pagerank(G)
com = list(nx.community.label_propagation_communities(G))
mst = nx.minimum_spanning_tree(G, weight="w")
d = 0
for s in range(40):
    d += sum(nx.single_source_dijkstra_path_length(G, s, weight="w").values())
b = nx.betweenness_centrality(G, k=20, seed=1)
print(len(pr), len(com) > 0, mst.number_of_edges(), round(d), round(max(b.values()), 3))
