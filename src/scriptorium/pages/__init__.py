"""Pages: front matter, PDFs opened in a limited child process, images, rotation, the page store."""
