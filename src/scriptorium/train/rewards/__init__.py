"""Rewards of a page: functions of an answer, its page's truth and unit tests, each in [0, 1].

`answer` says what is judged, `scores` and `markdown` judge one answer, `child` and `pool` do so in processes of
their own, `functions` makes of it what TRL calls. Importing this package loads none of them.
"""
