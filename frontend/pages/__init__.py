"""One module a page: read the address, ask for one record, render one template; post forms to one service."""
