"""The adapter conformance kit and test helpers, shipped with the package."""
