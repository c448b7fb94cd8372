"""What the tasks do, in terms of ports and domain alone."""
