"""Pages, templates, charts."""
