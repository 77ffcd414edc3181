-- Indexes that answer lists, search and batches without reading the whole table.

-- the list's order, page by page; with what lists and search ask of a stock, so that nothing else is read
DROP INDEX ix_stocks_market_cap;
CREATE INDEX ix_stocks_market_cap ON stocks (market_cap DESC NULLS LAST, id)
    INCLUDE (data_quality_score, nse_code, stock_name);
-- the same within a sector
DROP INDEX ix_stocks_sector_name_market_cap;
CREATE INDEX ix_stocks_sector_name_market_cap ON stocks (sector_name, market_cap DESC NULLS LAST, id)
    INCLUDE (data_quality_score, nse_code, stock_name);
-- look-ups by name in any case, and by how it begins
DROP INDEX ix_stocks_lower_stock_name;
CREATE INDEX ix_stocks_lower_stock_name ON stocks (lower(stock_name) text_pattern_ops);
-- look-ups by how a symbol begins
CREATE INDEX ix_stocks_nse_code_prefix ON stocks (nse_code text_pattern_ops);
-- batch look-ups by ISIN
CREATE INDEX ix_stocks_isin ON stocks (isin);
