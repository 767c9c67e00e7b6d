"""scikit-learn fits and compares small models."""
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

X, y = make_classification(n_samples=3000, n_features=20, random_state=7)
for C in (0.01, 0.1, 1.0, 10.0):
    print(C, cross_val_score(make_pipeline(StandardScaler(), LogisticRegression(C=C)), X, y, cv=5).mean().round(3))
for depth in (3, 6, 9):
    model = RandomForestClassifier(n_estimators=40, max_depth=depth, random_state=7)
    print(depth, cross_val_score(model, X, y, cv=3).mean().round(3))
