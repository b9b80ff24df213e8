"""Requests as tables, so that a fleet of machines can answer them.

    requests --request_rows--> requests.parquet --asking_table (here), ray_data (a fleet)-->
    responses, part by part --importing--> the call log

A table of requests travels with its photographs; a folder of responses comes back and fills the
call log, and `eyechart run` then finds every answer there. Tables lie at any address that fsspec
knows.
"""
