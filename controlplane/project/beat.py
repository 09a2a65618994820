"""The Celery app of beat, which wakes tasks by their names: it loads none of the code that they run."""

from controlplane.project import celery

app = celery.make(loads_tasks=False)
