"""A text that is read from its front by cutting it off: all the rest is copied for each word."""


def words(text):
    number = 0
    while text:
        head, _, text = text.partition(" ")                 # culprit
        number += len(head) > 3
    return number


print(words("some words of a text " * 4000))
