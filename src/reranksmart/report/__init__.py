"""Tables, figures and the report page, from the long tables that the other rules make (no torch)."""
