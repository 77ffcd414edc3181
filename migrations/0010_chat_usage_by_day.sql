-- What a day of all users cost is looked up before every answer.

CREATE INDEX ix_chat_usage_day ON chat_usage (day);
