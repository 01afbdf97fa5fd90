"""The endpoints, a blueprint for each subject."""
