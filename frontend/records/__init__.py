"""What each page shows, as plain records: readers fill them, templates render them, tests build them.

States are the words of product.md (``no_data`` with an underscore), ages and limits are ``timedelta``,
instants are aware. ``None`` means unknown and is told as such.
"""
