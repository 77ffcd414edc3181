"""Market-data sources: one interface (`base`), one guarded HTTP client, and which source is switched on (`build`).

Web processes need the interface only, so nothing is imported here: the client alone is a tenth of their memory.
"""
