-- A tool that was stopped because its reader had left took no longer than it may.

ALTER TABLE chat_tool_calls DROP CONSTRAINT ck_chat_tool_calls_outcome;
ALTER TABLE chat_tool_calls
    ADD CONSTRAINT ck_chat_tool_calls_outcome CHECK (outcome IN ('ok', 'error', 'timeout', 'cancelled'));
