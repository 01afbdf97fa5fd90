"""The page, and the page of the API's documentation."""
