"""marshmallow schemas: they parse requests, shape answers and make the OpenAPI specification."""
