-- Substring search and ranking by similarity.

-- Trigrams for search. A trusted extension: the owner of the database may create it.
CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- substring search and similarity, by name
CREATE INDEX ix_stocks_stock_name_trigrams ON stocks USING gin (stock_name gin_trgm_ops);
-- the same by symbol
CREATE INDEX ix_stocks_nse_code_trigrams ON stocks USING gin (nse_code gin_trgm_ops);
