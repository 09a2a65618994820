"""How a notification leaves."""
