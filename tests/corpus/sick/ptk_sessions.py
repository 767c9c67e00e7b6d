"""A telnet server in small: a prompt session for each visitor, dropped when the visitor has gone."""
from prompt_toolkit import PromptSession
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput


def visit(number):
    session = PromptSession(message=f"visitor {number}> ", bottom_toolbar="press enter")
    return len(session.default_buffer.text)


def main():
    with create_pipe_input() as pipe, create_app_session(input=pipe, output=DummyOutput()):
        total = sum(visit(n) for n in range(400))
    print(total)


main()
