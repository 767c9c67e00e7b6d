"""Forests and boosted trees on made-up classes."""

from sklearn.datasets import make_classification
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

X, y = make_classification(3000, 30, random_state=0)
rf = RandomForestClassifier(60, random_state=0).fit(X, y)
gb = GradientBoostingClassifier(n_estimators=40, random_state=0).fit(X, y)
g = GridSearchCV(
    make_pipeline(StandardScaler(), LogisticRegression(max_iter=300)), {"logisticregression__C": [0.01, 0.1, 1, 10]}, cv=4
).fit(X, y)
docs = [" ".join(f"w{(i * k) % 997}" for k in range(60)) for i in range(4000)]
t = TfidfVectorizer(ngram_range=(1, 2)).fit_transform(docs)
print(rf.score(X, y) > 0.9, gb.score(X, y) > 0.9, round(g.best_score_, 2), t.shape)
