"""What Y3's workers import."""
WORDS = {i: str(i) for i in range(150_000)}                 # culprit
