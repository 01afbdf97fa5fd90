"""How requests get in and answers get out: a gunicorn worker whose threads never wait for a client."""
