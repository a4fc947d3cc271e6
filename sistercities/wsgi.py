"""The site as a WSGI application, for any web server."""

import io
import os

from django.core.management import call_command
from django.core.wsgi import get_wsgi_application

from sistercities.shared.pagecache import StoredPages

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sistercities.settings")
application = StoredPages(get_wsgi_application())
# `manage.py` asks this before each command; a web server comes here only.
call_command("check", stdout=io.StringIO())
