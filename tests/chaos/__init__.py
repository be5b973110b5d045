"""The fault tests: real processes, killed at random while customers write and reps answer, and a judge who counts afterwards.

``python -m tests.chaos`` is the long run (``make chaos``); ``tests/faults`` uses the same parts for short runs in ``make test``.

``site``        a database, simulated platforms, connections, and the service as processes of their own
``processes``   starts ``scrm serve``, starts it again when it died, kills it
``traffic``     customers and platforms: webhooks and KF messages, each noted with what the service answered
``reps``        people who answer over the HTTP API and repeat a request until they know its outcome
``mayhem``      what goes wrong while they do
``judge``       compares what happened with what the database and the simulated customers have
``run``         one scenario from start to verdict
"""
