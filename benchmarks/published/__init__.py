"""Published results done again from public inputs, and how close they come.

    make published        # runs them, prints the tables and writes them into docs/published.md

Each module is one paper's result: what was published stands in it as data, with where it is from.
"""
