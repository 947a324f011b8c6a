"""When a timer fires and whom to ping next: pure, given the time and an entropy value."""
