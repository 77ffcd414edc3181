"""Conversations with the assistant: threads, messages, what is safe to show, and how an answer comes about."""
