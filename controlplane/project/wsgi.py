"""The WSGI entry point, served by granian with threads."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "controlplane.project.settings")
application = get_wsgi_application()
