"""How fast serving is: every row of its speed table, beside Feast's Python server where it says so."""
