"""The composition root: settings, urls, celery, schedule."""
