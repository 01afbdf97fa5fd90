"""The shapes of what the API takes and gives, from which requests are validated and the OpenAPI document is made."""
