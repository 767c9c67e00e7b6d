"""A model is chosen by grid search over a pipeline, with texts and numbers; the best one is fitted and judged."""

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import classification_report
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler


def data(rows, seed=0):
    rng = np.random.default_rng(seed)
    words = np.array([f"word{n}" for n in range(400)])
    y = rng.integers(0, 2, rows)
    texts = [" ".join(rng.choice(words[:250] if label else words[150:], 25)) for label in y]
    numbers = rng.normal(y[:, None], 2.0, (rows, 5))
    x = np.empty((rows, 6), dtype=object)
    x[:, 0], x[:, 1:] = texts, numbers
    return x, y


def main():
    x, y = data(1500)
    x_train, x_test, y_train, y_test = train_test_split(x, y, random_state=1)
    features = ColumnTransformer([("text", TfidfVectorizer(), 0), ("numbers", StandardScaler(), [1, 2, 3, 4, 5])])
    pipeline = Pipeline([("features", features), ("model", LogisticRegression(max_iter=300))])
    grid = [{"model__C": [0.1, 1, 10]}, {"model": [RandomForestClassifier(n_estimators=30, random_state=0)], "model__max_depth": [4, None]}]
    search = GridSearchCV(pipeline, grid, cv=3)
    search.fit(x_train, y_train)
    print(search.best_params_)
    print(classification_report(y_test, search.predict(x_test)))


main()
