"""How fast serving is: every row of its speed table, side by side with Feast's Python server where it says so."""
