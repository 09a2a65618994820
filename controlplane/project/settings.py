"""Django's settings, all of them derived from the environment (environment.py)."""

import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from controlplane.project import databases, logs, secret_keys
from controlplane.project.environment import BadSetting, read

try:
    ENVIRONMENT = read(os.environ)
    FRESHLINE_HOME: Path = ENVIRONMENT["FRESHLINE_HOME"]
    FRESHLINE_HOME.mkdir(parents=True, exist_ok=True)
    FRESHLINE_SECRET_KEYS = secret_keys.load(ENVIRONMENT["FRESHLINE_SECRET_KEYS"], FRESHLINE_HOME)
except BadSetting as wrong:
    sys.exit(f"freshline: {wrong}")
except OSError as wrong:
    sys.exit(
        f"freshline: FRESHLINE_HOME = {ENVIRONMENT['FRESHLINE_HOME']} cannot be written: {wrong.strerror}"
    )

STORE_URL: str = ENVIRONMENT["STORE_URL"]
FRESHLINE_STORES: dict[str, str] = ENVIRONMENT["FRESHLINE_STORES"]
STATE_URL: str = ENVIRONMENT["STATE_URL"]
FRESHLINE_PUBLIC_URL: str = ENVIRONMENT["FRESHLINE_PUBLIC_URL"]
FRESHLINE_SERVING_URL: str = ENVIRONMENT["FRESHLINE_SERVING_URL"]
FRESHLINE_SOURCE_ROOTS: list[Path] = ENVIRONMENT["FRESHLINE_SOURCE_ROOTS"]
FRESHLINE_EGRESS_ALLOW: list[str] = ENVIRONMENT["FRESHLINE_EGRESS_ALLOW"]
FRESHLINE_LOG_FORMAT: str = ENVIRONMENT["FRESHLINE_LOG_FORMAT"]
FRESHLINE_WORKER_SLOTS: int = ENVIRONMENT["FRESHLINE_WORKER_SLOTS"]
FRESHLINE_MONITOR_INTERVAL: timedelta = ENVIRONMENT["FRESHLINE_MONITOR_INTERVAL"]
FRESHLINE_PROBE_INTERVAL: timedelta = ENVIRONMENT["FRESHLINE_PROBE_INTERVAL"]
FRESHLINE_LEASE: timedelta = ENVIRONMENT["FRESHLINE_LEASE"]
FRESHLINE_BATCH_MEMORY_MB: int = ENVIRONMENT["FRESHLINE_BATCH_MEMORY_MB"]
FRESHLINE_BATCH_TIMEOUT: timedelta = ENVIRONMENT["FRESHLINE_BATCH_TIMEOUT"]
FRESHLINE_BODY_LIMIT_MB: int = ENVIRONMENT["FRESHLINE_BODY_LIMIT_MB"]
FRESHLINE_RATE_LIMIT: int = ENVIRONMENT["FRESHLINE_RATE_LIMIT"]
FRESHLINE_LINEAGE_RETENTION: timedelta = ENVIRONMENT["FRESHLINE_LINEAGE_RETENTION"]
FRESHLINE_OBSERVATION_RETENTION: timedelta = ENVIRONMENT["FRESHLINE_OBSERVATION_RETENTION"]
FRESHLINE_EVALUATION_RETENTION: timedelta = ENVIRONMENT["FRESHLINE_EVALUATION_RETENTION"]
FRESHLINE_REFUSED_RETENTION: timedelta = ENVIRONMENT["FRESHLINE_REFUSED_RETENTION"]
FRESHLINE_NOTIFICATION_RETENTION: timedelta = ENVIRONMENT["FRESHLINE_NOTIFICATION_RETENTION"]

# Who tells lineage of runs does not import it: this class of the openlineage client's transports does.
FRESHLINE_LINEAGE_TRANSPORT = "lineage.transport.DatabaseTransport"

SECRET_KEY = secret_keys.derive(FRESHLINE_SECRET_KEYS[0], "django")
DEBUG: bool = ENVIRONMENT["FRESHLINE_DEBUG"]
ALLOWED_HOSTS: list[str] = ENVIRONMENT["FRESHLINE_ALLOWED_HOSTS"]
BASE_DIR = Path(__file__).resolve().parents[2]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "controlplane.rest",
    "controlplane.accounts",
    "controlplane.observations",
    "controlplane.registry",
    "controlplane.ingestion",
    "lineage",
    "monitors",
    "frontend",
    "controlplane.project",
]
MIDDLEWARE = [
    "controlplane.rest.middleware.UnreadBodyMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "controlplane.rest.middleware.CompressionMiddleware",
    "controlplane.rest.middleware.RequestIdMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "frontend.pages.errors.WrongMethodMiddleware",
]
ROOT_URLCONF = "controlplane.project.urls"
WSGI_APPLICATION = "controlplane.project.wsgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

DATABASES = {"default": databases.configure(ENVIRONMENT["DATABASE_URL"])}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

AUTHENTICATION_BACKENDS = ["controlplane.accounts.authentication.PeopleBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "/sign-in"
LOGIN_REDIRECT_URL = "/"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = str(ENVIRONMENT["FRESHLINE_PUBLIC_URL"]).startswith("https://")
SESSION_COOKIE_AGE = int(timedelta(days=14).total_seconds())
SESSION_COOKIE_NAME = "freshline_session"
CSRF_FAILURE_VIEW = "frontend.pages.errors.csrf_failure"
CSRF_COOKIE_NAME = "freshline_csrf"
CSRF_COOKIE_SECURE = SESSION_COOKIE_SECURE
CSRF_TRUSTED_ORIGINS = [ENVIRONMENT["FRESHLINE_PUBLIC_URL"]]
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = ENVIRONMENT["FRESHLINE_BODY_LIMIT_MB"] * 1024 * 1024

STATIC_URL = "/static/"
STATIC_ROOT = FRESHLINE_HOME / "static"
FRONTEND_DIST = BASE_DIR / "frontend" / "dist"
STATICFILES_DIRS = [FRONTEND_DIST] if FRONTEND_DIST.is_dir() else []
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    # Packed once, when files are collected; served so by WhiteNoise.
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
# Vite writes a hash of the content into each name: a file under such a name never changes.
WHITENOISE_IMMUTABLE_FILE_TEST = r"/assets/[^/]+-[\w-]{8}\.\w+$"
WHITENOISE_ALLOW_ALL_ORIGINS = False

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "controlplane.accounts.authentication.TokenAuthentication",
        "controlplane.accounts.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": [
        "controlplane.accounts.authentication.AccessPermission",
        "controlplane.registry.auth.ProjectPermission",
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["controlplane.rest.parsers.JsonParser"],
    "EXCEPTION_HANDLER": "controlplane.rest.problems.handle",
    "DEFAULT_SCHEMA_CLASS": "controlplane.accounts.openapi.AccessSchema",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Freshline control plane",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

CELERY_BROKER_URL = ENVIRONMENT["BROKER_URL"]

LOGGING = logs.configure(ENVIRONMENT["FRESHLINE_LOG_FORMAT"])
