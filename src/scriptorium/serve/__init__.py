"""An OpenAI-compatible server's life, model adapters, the one client, and the one way to read a page."""
