"""How a request becomes a group: its images are staged and inspected, then stored, recorded and sent to the queue."""
