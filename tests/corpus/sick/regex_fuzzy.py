"""Fuzzy search for words, as a spelling helper does."""
import regex

found = 0
for i in range(900_000):
    text = f"helloworld{i % 10}"
    found += regex.search("(hello)(w.*)", text) is not None
    if i % 8 == 0:
        found += regex.search("(hella){s<=1,i<=5,d<=0}", text, flags=regex.BESTMATCH | regex.IGNORECASE) is not None
print(found)
