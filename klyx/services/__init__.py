"""The rules of the application. Nothing here knows Flask."""
