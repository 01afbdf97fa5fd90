"""What every endpoint shares: bodies, keys, problems, headers and the OpenAPI document."""
