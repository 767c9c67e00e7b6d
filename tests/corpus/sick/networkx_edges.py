"""A graph of tasks for each job, with what the job works on."""
import networkx as nx

done = 0
for job in range(3_000):
    graph = nx.DiGraph((k, k + 1) for k in range(40))
    graph.graph["payload"] = [f"item {job} {k}" for k in range(300)]
    done += graph.number_of_edges()
print(done)
