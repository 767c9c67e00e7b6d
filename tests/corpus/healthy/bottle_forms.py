"""Forms and pages of a Bottle application behind a real server."""

import io
import threading
import urllib.parse
import urllib.request
import wsgiref.simple_server as w

import bottle

app = bottle.Bottle()
POSTS = {}
T = """<ul>%for p in posts:
<li>{{p['t']}} {{p['b'][:20]}}</li>
%end
</ul>"""


@app.post("/p")
def post():
    k = bottle.request.forms.get("k")
    POSTS[k] = {"t": k, "b": bottle.request.forms.get("b")}
    bottle.redirect("/p/" + k)


@app.get("/p/<k>")
def show(k):
    if k not in POSTS:
        bottle.abort(404)
    bottle.response.set_cookie("s", k, secret="z")
    return POSTS[k]


@app.get("/")
def idx():
    return bottle.template(T, posts=list(POSTS.values()))


@app.error(404)
def nf(e):
    return "no"


class H(w.WSGIRequestHandler):
    def log_message(self, *a):
        pass


s = w.make_server("127.0.0.1", 0, app, handler_class=H)
t = threading.Thread(target=s.serve_forever)
t.start()
u = f"http://127.0.0.1:{s.server_port}"
n = 0
for i in range(60):
    d = urllib.parse.urlencode({"k": f"k{i % 60}", "b": "body " * 50}).encode()
    n += len(urllib.request.urlopen(u + "/p", d).read())
    n += len(urllib.request.urlopen(u + "/").read())
    try:
        urllib.request.urlopen(u + "/p/zzz")
    except urllib.error.HTTPError as e:
        n += e.code
        e.close()
s.shutdown()
t.join()
s.server_close()
print(n)
