"""What Y3's workers import."""
WORDS = {}
for i in range(250_000):
    WORDS[i] = str(i)                                       # culprit
