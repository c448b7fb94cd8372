"""``make mutants``: changes the product in small ways, and tells which of them no test notices."""
