"""Five pages and their tests, read with somebody's model: a report that people can compare and post."""
