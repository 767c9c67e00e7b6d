"""Graph algorithms on graphs made one after another."""
import networkx as nx

total = 0
for seed in range(12):
    graph = nx.gnm_random_graph(400, 2000, seed=seed)
    for a, b in graph.edges:
        graph[a][b]["weight"] = (a * b) % 17 + 1
    total += len(nx.minimum_spanning_tree(graph).edges)
    total += sum(len(paths) for _, paths in nx.all_pairs_shortest_path_length(graph))
    total += len(nx.community.label_propagation_communities(graph))
    total += round(sum(nx.pagerank(graph).values()))
print(total)
