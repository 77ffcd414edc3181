-- Market data: technicals as the contract defines them, daily prices, where figures come from, and runs that can go on.

ALTER TABLE stocks ADD COLUMN tech_rsi NUMERIC(10, 4);
ALTER TABLE stocks ADD COLUMN tech_macd NUMERIC(10, 4);
ALTER TABLE stocks DROP CONSTRAINT ck_stocks_no_nan;
ALTER TABLE stocks ADD CONSTRAINT ck_stocks_no_nan CHECK (NOT ('NaN'::numeric IN (
    current_price, day_change_pct, week_change_pct, month_change_pct, qtr_change_pct,
    year_1_change_pct, year_3_change_pct, market_cap, pe_ttm, sector_pe_ttm, pb_ratio, ps_ratio,
    peg_ratio, roe_annual_pct, roa_annual_pct, roce_annual_pct, earnings_yield_pct,
    operating_margin_pct, net_profit_margin_pct, revenue_growth_yoy_pct,
    revenue_growth_qtr_yoy_pct, profit_growth_yoy_pct, profit_growth_qtr_yoy_pct,
    eps_growth_pct, basic_eps_ttm, debt_to_equity, current_ratio, revenue_annual, revenue_qtr,
    net_profit_annual, net_profit_qtr, dividend_yield_pct, forward_dividend_yield_pct,
    target_price, rsi, macd, adx, atr, beta_1yr, sma_50, sma_200, ema_20, tech_mfi,
    tech_volume_pct, promoter_holding_pct, promoter_holding_change_qoq_pct, fii_holding_pct,
    fii_holding_change_qoq_pct, dii_holding_pct, mf_holding_pct, mf_holding_change_qoq_pct,
    institutional_holding_pct, tech_rsi, tech_macd
)));

ALTER TABLE stock_field_provenance ADD COLUMN statement_kind VARCHAR(20);
ALTER TABLE stock_field_provenance ADD CONSTRAINT ck_stock_field_provenance_statement_kind
    CHECK (statement_kind IN ('standalone', 'consolidated'));

ALTER TABLE jobs ADD COLUMN unique_key VARCHAR(150);
ALTER TABLE jobs ADD COLUMN parent_id VARCHAR(36);
ALTER TABLE jobs ADD CONSTRAINT fk_jobs_parent_id FOREIGN KEY(parent_id) REFERENCES jobs (id) ON DELETE CASCADE;
-- what is asked for twice at once is done once
CREATE UNIQUE INDEX uq_jobs_unfinished_unique_key ON jobs (unique_key) WHERE state IN ('queued', 'running');
-- the batches of a run
CREATE INDEX ix_jobs_parent_id ON jobs (parent_id);

-- Daily prices, adjusted for splits and bonus shares.
CREATE TABLE price_history (
    stock_id INTEGER NOT NULL,
    day DATE NOT NULL,
    open NUMERIC(15, 4) NOT NULL,
    high NUMERIC(15, 4) NOT NULL,
    low NUMERIC(15, 4) NOT NULL,
    close NUMERIC(15, 4) NOT NULL,
    volume BIGINT NOT NULL,
    CONSTRAINT pk_price_history PRIMARY KEY (stock_id, day),
    CONSTRAINT fk_price_history_stock_id FOREIGN KEY(stock_id) REFERENCES stocks (id) ON DELETE CASCADE
);

ALTER TABLE data_refresh_log ADD COLUMN job_id VARCHAR(36);
ALTER TABLE data_refresh_log ADD COLUMN stocks_total INTEGER;
ALTER TABLE data_refresh_log ADD COLUMN details JSONB;
ALTER TABLE data_refresh_log ADD CONSTRAINT fk_data_refresh_log_job_id
    FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE SET NULL;
-- deleting a job
CREATE INDEX ix_data_refresh_log_job_id ON data_refresh_log (job_id);
-- two runs of a type never overlap
CREATE UNIQUE INDEX uq_data_refresh_log_running ON data_refresh_log (refresh_type) WHERE status = 'running';

-- The stocks of a run and how far each is; outcomes is one word per source.
CREATE TABLE refresh_items (
    run_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    batch INTEGER NOT NULL,
    stock_id INTEGER NOT NULL,
    nse_code VARCHAR(50) NOT NULL,
    state VARCHAR(20) DEFAULT 'waiting' NOT NULL,
    attempts INTEGER DEFAULT '0' NOT NULL,
    error TEXT,
    outcomes JSONB,
    CONSTRAINT pk_refresh_items PRIMARY KEY (run_id, position),
    CONSTRAINT ck_refresh_items_state CHECK (state IN ('waiting', 'done', 'failed')),
    CONSTRAINT fk_refresh_items_run_id FOREIGN KEY(run_id) REFERENCES data_refresh_log (id) ON DELETE CASCADE,
    CONSTRAINT fk_refresh_items_stock_id FOREIGN KEY(stock_id) REFERENCES stocks (id) ON DELETE CASCADE
);
-- what a batch has left to do
CREATE INDEX ix_refresh_items_run_id_batch_state ON refresh_items (run_id, batch, state);
-- deleting a stock
CREATE INDEX ix_refresh_items_stock_id ON refresh_items (stock_id);
