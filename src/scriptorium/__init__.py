"""From page data to a document-OCR model, and from the model to converted corpora."""

__version__ = "0.1.0"
