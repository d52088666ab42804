"""A local web app for people who write and check the tests of a bench."""
