"""Fill the pages' records from the selectors of the apps. Reads only; as few queries as the budget allows."""
