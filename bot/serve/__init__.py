"""The server: settings, durable records, flows of a pull request, pages."""
