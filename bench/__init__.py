"""The benchmarks: ``python -m bench``, or ``make bench``. What each row means is told in ``docs/performance.md``.

Whatever is measured runs as processes of its own, exactly as an installation starts them, on an embedded PostgreSQL with its
default, durable settings. Its *floor* is what a bare program needs for the unavoidable part of the same work, measured in the
same run on the same machine: the ratio of the two is the result, because it means the same on every machine.
"""
