"""Ready answers: encoded once, kept under the version of their data, found by every process.

Views use `answers.cached`, and `kept.kept` for values that cost more than their answer; the rest is machinery.
Workers need `versions` only, so nothing is imported here.
"""
