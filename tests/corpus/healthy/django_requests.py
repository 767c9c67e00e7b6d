"""A Django application with a database answers requests."""
import django
from django.conf import settings

settings.configure(
    SECRET_KEY="secret", ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], USE_TZ=True, DEBUG=False,
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions"],
    MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware", "django.middleware.common.CommonMiddleware",
                "django.contrib.auth.middleware.AuthenticationMiddleware"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}])
django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.http import HttpResponse, JsonResponse  # noqa: E402
from django.template import Context, Template  # noqa: E402
from django.test import Client  # noqa: E402
from django.urls import path  # noqa: E402

page = Template("<h1>Users</h1>{% for user in users %}<p>{{ user.username|upper }} {{ user.email }}</p>{% endfor %}")


def listing(request):
    request.session["seen"] = request.session.get("seen", 0) + 1
    return HttpResponse(page.render(Context({"users": User.objects.order_by("username")[:20]})))


def one(request, number):
    user = User.objects.get(username=f"user{number}")
    return JsonResponse({"name": user.username, "mail": user.email})


urlpatterns = [path("users", listing), path("user/<int:number>", one)]
call_command("migrate", verbosity=0)
User.objects.bulk_create(User(username=f"user{n}", email=f"user{n}@example.org") for n in range(200))
client = Client()
size = 0
for i in range(900):
    size += len(client.get("/users").content)
    size += len(client.get(f"/user/{i % 200}").content)
print(size)
