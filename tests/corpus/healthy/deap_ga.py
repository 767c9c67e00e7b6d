"""A genetic search with a hall of fame and a log book."""

import random

from deap import algorithms, base, creator, tools

random.seed(5)
creator.create("FitnessMax", base.Fitness, weights=(1.0,))
creator.create("Individual", list, fitness=creator.FitnessMax)
t = base.Toolbox()
t.register("bit", random.randint, 0, 1)
t.register("individual", tools.initRepeat, creator.Individual, t.bit, 200)
t.register("population", tools.initRepeat, list, t.individual)
t.register("evaluate", lambda i: (sum(i),))
t.register("mate", tools.cxTwoPoint)
t.register("mutate", tools.mutFlipBit, indpb=0.01)
t.register("select", tools.selTournament, tournsize=3)
pop = t.population(400)
hof = tools.HallOfFame(5)
st = tools.Statistics(lambda i: i.fitness.values)
st.register("max", max)
pop, log = algorithms.eaSimple(pop, t, 0.6, 0.3, 80, stats=st, halloffame=hof, verbose=False)
print(hof[0].fitness.values)
