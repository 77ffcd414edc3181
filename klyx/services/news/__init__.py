"""What headlines say about a stock, and the run that asks for them."""

from klyx.services.news.digest import digest
from klyx.services.news.sentiment import label, score, word_score

__all__ = ["digest", "label", "score", "word_score"]
