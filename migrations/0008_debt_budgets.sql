-- A plan that a browser kept before any budget was entered has one of 0.

ALTER TABLE debt_scenarios DROP CONSTRAINT ck_debt_scenarios_monthly_budget_positive;
ALTER TABLE debt_scenarios
    ADD CONSTRAINT ck_debt_scenarios_monthly_budget_not_negative CHECK (monthly_budget >= 0);
