"""``/v1``: what a person and a monitoring system read of events, loans, sagas and jobs, and the buttons they press."""
