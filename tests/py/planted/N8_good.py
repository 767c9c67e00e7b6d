"""The same words, by their places in the text."""


def words(text):
    number = at = 0
    while at < len(text):
        end = text.find(" ", at)
        head, at = text[at:end], end + 1
        number += len(head) > 3
    return number


print(words("some words of a text " * 4000))
