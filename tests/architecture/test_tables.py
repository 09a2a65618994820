"""Rules of the database that hold on every database."""

from collections import Counter

import pytest
from django.apps import apps
from django.core.management import call_command


def test_no_index_or_constraint_has_the_name_of_a_table_or_of_another() -> None:
    """SQLite and PostgreSQL keep tables and indexes in one name space."""
    models = apps.get_models(include_auto_created=True)
    names = [model._meta.db_table for model in models]
    names += [made.name for model in models for made in (*model._meta.indexes, *model._meta.constraints)]
    assert not [name for name, count in Counter(names).items() if count > 1]


@pytest.mark.django_db
def test_the_migrations_say_what_the_models_say() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
