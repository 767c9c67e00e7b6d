"""The start set: a program that does nothing. Its whole life is start-up and exit."""
