"""The judges of each type of test, under each rule set."""
