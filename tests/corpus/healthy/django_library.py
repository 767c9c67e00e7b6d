"""A library in Django: models on sqlite, a view with pages and a template, middleware, lending and giving back."""

import random
import sys

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="x",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth"],
    MIDDLEWARE=["django.middleware.common.CommonMiddleware", __name__ + ".counting", "django.middleware.gzip.GZipMiddleware"],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
)
sys.modules.setdefault(__name__, sys.modules["__main__"])
COUNTS = {}


def counting(get_response):
    def middleware(request):
        response = get_response(request)
        COUNTS[response.status_code] = COUNTS.get(response.status_code, 0) + 1
        return response

    return middleware


django.setup()

from django.core.paginator import Paginator  # noqa: E402
from django.db import connection, models, transaction  # noqa: E402
from django.http import Http404, HttpResponse, JsonResponse  # noqa: E402
from django.template import engines  # noqa: E402
from django.test import Client  # noqa: E402
from django.urls import path  # noqa: E402


class Author(models.Model):
    name = models.CharField(max_length=80)

    class Meta:
        app_label = "library"


class Book(models.Model):
    title = models.CharField(max_length=120)
    author = models.ForeignKey(Author, on_delete=models.CASCADE, related_name="books")
    lent = models.BooleanField(default=False)

    class Meta:
        app_label = "library"


LIST = engines["django"].from_string(
    "{% for book in page %}<li>{{ book.title }} by {{ book.author.name }}{% if book.lent %} (lent){% endif %}</li>{% endfor %}"
)


def books(request):
    page = Paginator(Book.objects.select_related("author").order_by("id"), 25).get_page(request.GET.get("page"))
    return HttpResponse(LIST.render({"page": page}, request))


def lend(request, number):
    with transaction.atomic():
        book = Book.objects.filter(pk=number).first()
        if not book:
            raise Http404
        book.lent = not book.lent
        book.save()
    return JsonResponse({"lent": book.lent})


urlpatterns = [path("books", books), path("books/<int:number>/lend", lend)]


def main():
    with connection.schema_editor() as editor:
        editor.create_model(Author)
        editor.create_model(Book)
    authors = Author.objects.bulk_create([Author(name=f"Author {n}") for n in range(60)])
    Book.objects.bulk_create([Book(title=f"Book {n}", author=authors[n % 60]) for n in range(1500)])
    rng, client = random.Random(3), Client()
    for _ in range(700):
        client.get("/books", {"page": rng.randrange(60)})
        client.post(f"/books/{rng.randrange(1, 1600)}/lend")
    print(COUNTS, Book.objects.filter(lent=True).count())


main()
