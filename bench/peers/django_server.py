"""Django REST Framework with SQLite, as the imitated service is made: models, serializers, a token and pages."""

import hashlib
import os

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="bench", ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, USE_TZ=True, INSTALLED_APPS=["rest_framework"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["BENCH_DATABASE"], "CONN_MAX_AGE": None}},
    REST_FRAMEWORK={
        "UNAUTHENTICATED_USER": None, "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.PageNumberPagination", "PAGE_SIZE": 10,
    })
django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import models  # noqa: E402
from django.urls import path  # noqa: E402
from rest_framework import authentication, exceptions, generics, serializers  # noqa: E402


class Token(models.Model):
    hash = models.TextField(primary_key=True)
    account = models.IntegerField()

    class Meta:
        app_label, db_table, managed = "bench", "token", False


class Server(models.Model):
    name = models.TextField()
    hostname = models.TextField()
    status = models.TextField()
    ip_address = models.TextField(null=True)
    location = models.TextField()
    plan = models.JSONField()
    os = models.JSONField()
    backups_enabled = models.BooleanField()
    created_at = models.TextField()
    updated_at = models.TextField()
    uuid = models.TextField()
    account = models.IntegerField()

    class Meta:
        app_label, db_table, managed = "bench", "server", False


class ServerSerializer(serializers.ModelSerializer):
    class Meta:
        model = Server
        exclude = ["account"]


class Caller:
    is_authenticated = True

    def __init__(self, account):
        self.account = account


class TokenAuthentication(authentication.BaseAuthentication):
    def authenticate(self, request):
        text = request.headers.get("Authorization", "").removeprefix("Bearer ")
        token = Token.objects.filter(hash=hashlib.sha256(text.encode()).hexdigest()).first()
        if token is None:
            raise exceptions.AuthenticationFailed()
        return Caller(token.account), token


class OfAccount:
    serializer_class = ServerSerializer
    authentication_classes = [TokenAuthentication]

    def get_queryset(self):
        return Server.objects.filter(account=self.request.user.account).order_by("-id")


class One(OfAccount, generics.RetrieveAPIView):
    pass


class List(OfAccount, generics.ListAPIView):
    pass


urlpatterns = [path("one", One.as_view(), {"pk": 1}), path("list", List.as_view())]
application = get_wsgi_application()
