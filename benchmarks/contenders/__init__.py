"""Who takes part: each module has ``prepare(problem, **options)``, which returns a ``Program``."""
