"""Runs of market data: which stocks, which batches, how far, and what came of it."""
