"""A small web application with logins."""
import io
import secrets
import time

SESSIONS = {}


def login(environ):
    token = secrets.token_hex(16)
    SESSIONS[token] = {"user": environ["user"], "seen": time.time(), "basket": [], "history": ["login"]}
    return token


def basket(environ):
    session = SESSIONS[environ["token"]]
    session["basket"].append(environ["article"])
    return str(len(session["basket"]))


def logout(environ):
    del SESSIONS[environ["token"]]
    return "bye"


ROUTES = {"/login": login, "/basket": basket, "/logout": logout}


def application(environ, start_response):
    answer = ROUTES[environ["PATH_INFO"]](environ)
    start_response("200 OK", [("Content-Length", str(len(answer)))])
    return [answer.encode()]


def call(path, **more):
    body = io.BytesIO()
    for part in application({"PATH_INFO": path, **more}, lambda status, headers: None):
        body.write(part)
    return body.getvalue().decode()


total = 0
for visitor in range(60_000):
    token = call("/login", user=f"user {visitor % 500}")
    for article in range(4):
        total += int(call("/basket", token=token, article=article))
    call("/logout", token=token)
print(total)
