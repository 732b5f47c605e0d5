"""The catalogue: one mistake a file, or a few of a kind. ``docs/mistakes.md`` says how to add one."""
